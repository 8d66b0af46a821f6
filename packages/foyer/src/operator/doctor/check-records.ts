import { isInTrouble, readJobs } from '../../chores/read-jobs.ts';
import type { Config } from '../../config/config.ts';
import { counted } from '../../config/counted.ts';
import type { Queries } from '../../database/database.ts';
import { findInterruptedRequests } from '../../database/install-requests.ts';
import { inactiveCode } from '../../database/installations.ts';
import { readMaintenance } from '../../database/maintenance.ts';
import { listUnknownTeams } from '../../database/unknown-teams.ts';
import { countGrantedScopes, countInstallations } from '../installation-lists.ts';
import { countHeld, isProbablySuspended, mostProblems } from '../kept-counts.ts';
import type { DefinitionShape } from '../operator-deps.ts';
import { readFailingInstalls } from '../problems.ts';
import { countFailingRuns, readQueueState } from '../queue-state.ts';
import { spanText } from '../terminal/time-text.ts';
import { countTokensAtRisk } from '../token-times.ts';
import { type Finding, findingsOf } from './finding.ts';

/**
 * If a run is overdue by this much, no worker is running: a worker polls every two seconds, and a lease expires after
 * thirty.
 */
const hangsAfterMs = 2 * 60_000;
/**
 * Foyer revokes the tokens of interrupted installs every minute: if a token is left after five minutes, something is
 * wrong.
 */
const unstoredAfterMs = 5 * 60_000;

/** Checks the records: scopes, tokens, runs, jobs, install requests, maintenance and unknown teams. */
export async function checkRecords(
  queries: Queries,
  config: Pick<Config, 'slack'>,
  now: number,
  jobs: DefinitionShape['jobs'],
): Promise<Finding[]> {
  const { clientId } = config.slack;
  return [
    await grantedScopes(queries, config),
    await deadTokens(queries, clientId),
    await heldInstallations(queries, clientId),
    await expiredTokens(queries, clientId, now),
    await hangingRuns(queries, clientId, now),
    await failedRuns(queries, clientId),
    await troubledJobs(queries, { clientId, jobs, now }),
    await unstoredTokens(queries, clientId, now),
    await installs(queries, clientId, now),
    await maintenance(queries, clientId),
    await unknownTeams(queries, clientId, now),
  ];
}

async function grantedScopes(queries: Queries, { slack }: Pick<Config, 'slack'>): Promise<Finding> {
  const { ok, warning } = findingsOf('granted-scopes');
  const needed = slack.botScopes.filter((scope) => !slack.optionalBotScopes.includes(scope));
  const groups = await countGrantedScopes(queries, slack.clientId);
  const all = groups.reduce((sum, group) => sum + group.installations, 0);
  const lacking = needed
    .map((scope) => ({ scope, count: countWithout(groups, scope) }))
    .filter(({ count }) => count > 0);
  if (lacking.length === 0) return ok(`${counted(all, 'active installation')}: no scope is missing.`);
  const detail = lacking.map(({ scope, count }) => `${count} of ${all} lack ${scope}`).join('; ');
  const fix =
    'Ask each installer to press “Update permissions” in App Home, or send an admin of each team to /slack/install?team=T….';
  return warning(`Of the active installations, ${detail}.`, fix);
}

function countWithout(groups: readonly { scopes: string[]; installations: number }[], scope: string): number {
  return groups.reduce((sum, group) => sum + (group.scopes.includes(scope) ? 0 : group.installations), 0);
}

/** No limit: the held installations are subtracted from the broken ones, so they must be counted exactly. */
const all = Number.MAX_SAFE_INTEGER;

async function deadTokens(queries: Queries, clientId: string): Promise<Finding> {
  const { ok, warning } = findingsOf('tokens-dead');
  const held = await countHeld(queries, clientId, all);
  const broken = (await countInstallations(queries, clientId)).broken - held;
  if (broken <= 0)
    return ok(
      held > 0
        ? 'Apart from the held installations, Slack has not refused any installation’s current token.'
        : 'Slack has not refused any installation’s current token.',
    );
  const detail = `${counted(broken, 'installation')} ${broken === 1 ? 'is' : 'are'} broken: Slack refuses the token, or Foyer erased it (after a revoke, or because its key was lost).`;
  const fix =
    '`npm run foyer -- list --status broken` lists them. Ask an admin of each team to install the app again, or erase the team with `npm run foyer -- purge TEAM`.';
  return warning(detail, fix);
}

async function heldInstallations(queries: Queries, clientId: string): Promise<Finding> {
  const { ok, warning, fault } = findingsOf('app-suspended');
  const held = await countHeld(queries, clientId, all);
  if (held === 0) return ok('No sign that Slack has suspended the app.');
  const { active } = await countInstallations(queries, clientId);
  const isOne = held === 1;
  const detail = `${counted(held, 'installation')} ${isOne ? 'is' : 'are'} held: Slack answers ${inactiveCode}, and no other installation has shown that the app works. ${isOne ? 'Its' : 'Their'} tokens are kept, and nothing is uninstalled.`;
  const fix =
    'See whether api.slack.com/apps says that the app is suspended (docs/runbook.md#foyerappsuspended). Do not purge anything. Foyer asks Slack every 15 minutes: if a team’s token works, its installation becomes active again; if the team has removed the app, it becomes uninstalled.';
  return isProbablySuspended({ held, active }) ? fault(detail, fix) : warning(detail, fix);
}

async function expiredTokens(queries: Queries, clientId: string, now: number): Promise<Finding> {
  const { ok, fault } = findingsOf('tokens-expired');
  const { lapsingBots, lapsingUsers } = await countTokensAtRisk(queries, { clientId, before: now });
  if (lapsingBots + lapsingUsers === 0) return ok('No token is overdue for renewal.');
  const detail = `${counted(lapsingBots, 'bot token')} and ${counted(lapsingUsers, 'user token')} have expired and were not renewed.`;
  return fault(
    detail,
    'Start Foyer (npm start): it renews the tokens. If Foyer is already running, its log says why it cannot renew them (level warn).',
  );
}

async function hangingRuns(queries: Queries, clientId: string, now: number): Promise<Finding> {
  const { ok, fault } = findingsOf('runs-hanging');
  const { due, oldestDueAt } = await readQueueState(queries, { clientId, now });
  if (oldestDueAt === null || now - oldestDueAt < hangsAfterMs) return ok('No run is overdue.');
  const minutes = Math.round((now - oldestDueAt) / 60_000);
  const detail = `${counted(due, 'run')} ${due === 1 ? 'is due, and no worker is running it' : 'are due, and no worker is running them'}: the oldest has waited for ${minutes} min.`;
  return fault(detail, 'Start Foyer (npm start); if it is running, look in its log for database errors.');
}

async function failedRuns(queries: Queries, clientId: string): Promise<Finding> {
  const { ok, warning } = findingsOf('runs-failed');
  const failing = await countFailingRuns(queries, clientId);
  if (failing === 0) return ok('Among the newest runs of all installations, none has failed.');
  const shown =
    failing > mostProblems ? `more than ${mostProblems} installations` : counted(failing, 'installation');
  const detail = `The newest run of ${shown} has failed.`;
  return warning(
    detail,
    '`npm run foyer -- list --failed` lists them, and `npm run foyer -- show TEAM` shows the cause. Once you have fixed it, retry one run with `npm run foyer -- retry RUN`, or all of them with `npm run foyer -- retry --failed`.',
  );
}

async function troubledJobs(queries: Queries, app: Parameters<typeof readJobs>[1]): Promise<Finding> {
  const { ok, warning } = findingsOf('jobs');
  const troubled = (await readJobs(queries, app)).filter(isInTrouble);
  if (troubled.length === 0)
    return ok('No job is overdue, and none failed or was interrupted in its last turn.');
  const isOverdue = troubled.some(({ status }) => status === 'overdue');
  const detail = troubled.map(({ name, status, outcome, startedAt, nextDueAt, errorCode }) => {
    const late = status === 'overdue' && `is overdue by ${spanText(app.now - (nextDueAt ?? app.now))}`;
    const ago = startedAt === null ? '' : ` ${spanText(app.now - startedAt)} ago`;
    const failed = outcome === 'failed' && `failed${ago} with ${errorCode}`;
    const cut = outcome === 'interrupted' && `was interrupted${ago}: no outcome was recorded`;
    return `${name} ${[late, failed, cut].filter(Boolean).join(' and ')}`;
  });
  const fix = isOverdue
    ? 'Start Foyer with this definition (npm start): an overdue job then runs once, even if it has missed several intervals. If Foyer is running, look in its log for database errors; a host that does not call `foyer.start()` has to call `foyer.drain()`.'
    : 'If the turn failed, the log has the error, in lines with the job’s name. The next turn comes in the next interval. `npm run foyer -- jobs` lists all jobs.';
  return warning(`${detail.join('; ')}.`, fix);
}

async function unstoredTokens(queries: Queries, clientId: string, now: number): Promise<Finding> {
  const { ok, fault } = findingsOf('tokens-unstored');
  const search = { clientId, before: now - unstoredAfterMs, limit: 1000 };
  const left = (await findInterruptedRequests(queries, search)).filter(
    (request) => request.sealed_tokens !== null,
  );
  if (left.length === 0) return ok('No interrupted install has left tokens that still have to be revoked.');
  const detail = `${counted(left.length, 'interrupted install')} left tokens that are still valid at Slack and belong to no installation.`;
  const fix =
    'Start Foyer (npm start): it revokes them within a minute. If it is running, its log says why it cannot: Slack does not answer, or the key is missing.';
  return fault(detail, fix);
}

/** Only warns: a stranger can start an OAuth attempt and make it fail by putting any error into the callback's URL. */
async function installs(queries: Queries, clientId: string, now: number): Promise<Finding> {
  const { ok, warning } = findingsOf('installs');
  const failing = await readFailingInstalls(queries, { clientId, now });
  if (!failing) return ok('Fewer than three installs in a row have failed since yesterday.');
  if (failing.isUndistributed) {
    return warning(
      `Slack has refused ${counted(failing.count, 'install')} since yesterday, because the app’s public distribution is off.`,
      'Turn it on at api.slack.com/apps, Manage Distribution: until then, the app can be installed only in its own workspace (docs/going-live.md).',
    );
  }
  return warning(
    `The last ${failing.count} installs since yesterday have all failed, most often with ${failing.code}.`,
    '`npm run foyer -- requests --outcome failed` lists them; docs/runbook.md#foyerinstallsfailing says what each error means.',
  );
}

async function maintenance(queries: Queries, clientId: string): Promise<Finding> {
  const { ok, warning } = findingsOf('maintenance');
  const beganAt = await readMaintenance(queries, clientId);
  if (beganAt === undefined) return ok('Installs are accepted: maintenance is off.');
  const since = new Date(beganAt).toISOString().slice(0, 16).replace('T', ' ');
  return warning(
    `Maintenance has been on since ${since} UTC: every install is answered with 503.`,
    'To accept installs again, run `npm run foyer -- maintenance off`.',
  );
}

async function unknownTeams(queries: Queries, clientId: string, now: number): Promise<Finding> {
  const { ok, warning } = findingsOf('teams-unknown');
  const unknown = await listUnknownTeams(queries, { clientId, now });
  if (unknown.length === 0) return ok('Slack sends events only for teams with an installation here.');
  const named = unknown.slice(0, 5).map(({ teamId, enterpriseId }) => teamId ?? enterpriseId);
  const rest = unknown.length > named.length ? ` and ${unknown.length - named.length} more` : '';
  return warning(
    `Slack sends events for ${counted(unknown.length, 'team')} that have no installation here, perhaps because an old backup was restored: ${named.join(', ')}${rest}.`,
    'Check first that DATABASE_URL names the right database, and whether a newer backup has these teams. If neither helps, an admin of each team has to install the app again: `npm run foyer -- list --unknown` prints a link for each (docs/runbook.md#foyerunknownteams).',
  );
}
