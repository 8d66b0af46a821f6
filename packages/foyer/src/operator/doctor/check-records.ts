import type { Config } from '../../config/config.ts';
import { counted } from '../../config/counted.ts';
import type { Queries } from '../../database/database.ts';
import { findInterruptedRequests } from '../../database/install-requests.ts';
import { countGrantedScopes, countInstallations } from '../installation-lists.ts';
import { countFailingRuns, readQueueState } from '../queue-state.ts';
import { countTokensAtRisk } from '../token-times.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** A run overdue by this much was forgotten: a worker polls every two seconds, and a lease expires after thirty. */
const hangsAfterMs = 2 * 60_000;
/** Every minute, Foyer revokes the tokens that interrupted installs left behind. */
const unstoredAfterMs = 5 * 60_000;

/** Checks the records: scopes, tokens, runs and install requests. */
export async function checkRecords(
  queries: Queries,
  config: Pick<Config, 'slack'>,
  now: number,
): Promise<Finding[]> {
  const { clientId } = config.slack;
  return [
    await grantedScopes(queries, config),
    await deadTokens(queries, clientId),
    await lapsedTokens(queries, clientId, now),
    await hangingRuns(queries, now),
    await failedRuns(queries, clientId),
    await unstoredTokens(queries, clientId, now),
  ];
}

async function grantedScopes(queries: Queries, { slack }: Pick<Config, 'slack'>): Promise<Finding> {
  const check = 'granted-scopes';
  const needed = slack.botScopes.filter((scope) => !slack.optionalBotScopes.includes(scope));
  const groups = await countGrantedScopes(queries, slack.clientId);
  const all = groups.reduce((sum, group) => sum + group.installations, 0);
  const lacking = needed
    .map((scope) => ({ scope, count: countWithout(groups, scope) }))
    .filter(({ count }) => count > 0);
  if (lacking.length === 0) return ok(check, `${counted(all, 'active installation')}: none lacks a scope.`);
  const detail = lacking.map(({ scope, count }) => `${count} of ${all} lack ${scope}`).join('; ');
  const fix =
    'Their App Home shows Update permissions to the installer; or send an admin of theirs to /slack/install?team=T….';
  return warning(check, `Of the active installations, ${detail}.`, fix);
}

function countWithout(groups: readonly { scopes: string[]; installations: number }[], scope: string): number {
  return groups.reduce((sum, group) => sum + (group.scopes.includes(scope) ? 0 : group.installations), 0);
}

async function deadTokens(queries: Queries, clientId: string): Promise<Finding> {
  const check = 'tokens-dead';
  const { broken } = await countInstallations(queries, clientId);
  if (broken === 0) return ok(check, 'No installation’s token has died.');
  const detail = `Slack refuses the token of ${counted(broken, 'installation')}.`;
  const fix =
    '`npm run foyer -- list --status broken` shows whose; an admin of theirs installs the app again, or `purge` erases it.';
  return warning(check, detail, fix);
}

async function lapsedTokens(queries: Queries, clientId: string, now: number): Promise<Finding> {
  const check = 'tokens-lapsed';
  const { lapsingBots, lapsingUsers } = await countTokensAtRisk(queries, { clientId, before: now });
  if (lapsingBots + lapsingUsers === 0) return ok(check, 'No token has lapsed without being renewed.');
  const detail = `Tokens have lapsed and were not renewed: ${lapsingBots} of bots, ${lapsingUsers} of people.`;
  return fault(
    check,
    detail,
    'Start Foyer: it renews them by itself; its log says why where Slack refuses (level warn).',
  );
}

async function hangingRuns(queries: Queries, now: number): Promise<Finding> {
  const check = 'runs-hanging';
  const { due, oldestDueAt } = await readQueueState(queries, now);
  if (oldestDueAt === null || now - oldestDueAt < hangsAfterMs)
    return ok(check, 'No run waits for a worker.');
  const minutes = Math.round((now - oldestDueAt) / 60_000);
  const detail = `${counted(due, 'run')} should go on, and nobody works on it: the oldest for ${minutes} min.`;
  return fault(
    check,
    detail,
    'Start Foyer (npm start); if it runs, look in its log for a database that fails.',
  );
}

async function failedRuns(queries: Queries, clientId: string): Promise<Finding> {
  const check = 'runs-failed';
  const failing = await countFailingRuns(queries, clientId);
  if (failing === 0) return ok(check, 'No installation’s newest run has failed.');
  const detail = `The newest run of ${counted(failing, 'installation')} has failed.`;
  return warning(
    check,
    detail,
    '`npm run foyer -- list --failed`, `show TEAM` for the cause, and `retry RUN` once it is fixed.',
  );
}

async function unstoredTokens(queries: Queries, clientId: string, now: number): Promise<Finding> {
  const check = 'tokens-unstored';
  const search = { clientId, before: now - unstoredAfterMs, limit: 1000 };
  const left = (await findInterruptedRequests(queries, search)).filter(
    (request) => request.sealed_tokens !== null,
  );
  if (left.length === 0)
    return ok(check, 'No install was interrupted with tokens that are neither stored nor given back.');
  const detail = `${counted(left.length, 'interrupted install')} left tokens that are valid at Slack and stored nowhere.`;
  const fix =
    'Start Foyer: it gives them back within a minute. If it runs, Slack or the key stands in the way: see its log.';
  return fault(check, detail, fix);
}
