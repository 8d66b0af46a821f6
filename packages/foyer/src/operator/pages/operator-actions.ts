import { counted } from '../../config/counted.ts';
import type { Logger } from '../../config/log.ts';
import type { Database } from '../../database/database.ts';
import { appendHistory } from '../../database/history.ts';
import { type InstallRecord, readInstallRecord } from '../../database/install-record.ts';
import type { InstallationStore } from '../../installations/installation-store.ts';
import { KeyMissingError, SealBrokenError } from '../../installations/sealer.ts';
import type { TokenSource } from '../../installations/token-source.ts';
import { type RetryOutcome, retryRun } from '../../pipeline/retry-run.ts';
import type { SlackClientFactory } from '../../slack/create-slack-client.ts';
import { requestWelcome, type WelcomeRequestOutcome } from '../../steps/request-welcome.ts';
import { type Revocation, revokeTokens } from '../revoke-tokens.ts';
import { settleUninstall } from '../settle-uninstall.ts';
import type { Notice } from './notices.ts';
import { type OperatorSession, operatorName } from './operator-session.ts';

/** What an operator can do to an installation. The name is the last part of the path to which the form posts. */
export const operatorActions = ['retry', 'welcome', 'mark-gone', 'purge'] as const;
type OperatorAction = (typeof operatorActions)[number];

export interface OperatorActionsDeps {
  database: Database;
  store: Pick<InstallationStore, 'readInstallation' | 'deleteInstallation' | 'purgeInstallation'>;
  tokens: Pick<TokenSource, 'renewExpired'>;
  slack: SlackClientFactory;
  wakeWorker(): void;
  now: () => number;
  log: Logger;
}

/** The operator who pressed the button. */
type Operator = Pick<OperatorSession, 'person'>;

/** The time limit for revoking the tokens, which may belong to many people: a request must end within ten seconds. */
const giveBackMs = 5000;
/** How long a purge waits for the uninstall run to end. A request must end within ten seconds, including this wait. */
const uninstallWaitMs = 3000;

const retryNotices: Readonly<Record<RetryOutcome, Notice>> = {
  queued: 'run_queued',
  woken: 'run_woken',
  going: 'run_going',
  'rate-limited': 'run_rate_limited',
  'nothing-to-retry': 'run_nothing_to_retry',
  'not-installed': 'not_installed',
  unknown: 'not_installed',
};

const welcomeNotices: Readonly<Record<WelcomeRequestOutcome, Notice>> = {
  queued: 'welcome_queued',
  going: 'welcome_going',
  'not-installed': 'not_installed',
};

/**
 * Creates the function that carries out the action of a button and returns the outcome. It logs every press with the
 * operator's IP address. If an action took effect, it also adds the action to the installation's history, with the
 * operator's user id if they signed in with Slack. A purge is only logged, since it erases the history.
 */
export function createOperatorActions(deps: OperatorActionsDeps) {
  const { database, store, tokens, now, log } = deps;

  async function record(installation: InstallRecord, by: Operator, detail: string): Promise<void> {
    const name = by.person && operatorName(by);
    const line = {
      installationId: installation.id,
      at: now(),
      userId: by.person?.userId ?? null,
      detail: name === null ? detail : `${detail} (by ${name})`,
    };
    await database.write((transaction) => appendHistory(transaction, { ...line, kind: 'operator_action' }));
  }

  async function retry(installation: InstallRecord, form: URLSearchParams, by: Operator): Promise<Notice> {
    const { run } = installation;
    if (!run || run.id !== form.get('run')) return 'run_not_newest';
    const outcome = await retryRun(database, run.id, { now: now() });
    if (outcome === 'queued' || outcome === 'woken') await record(installation, by, `run again: ${run.id}`);
    deps.wakeWorker();
    return retryNotices[outcome];
  }

  async function welcome(installation: InstallRecord, _form: URLSearchParams, by: Operator): Promise<Notice> {
    const outcome = await requestWelcome(database, {
      installationId: installation.id,
      userId: null,
      now: now(),
    });
    if (outcome === 'queued') await record(installation, by, 'send the welcome again');
    deps.wakeWorker();
    return welcomeNotices[outcome];
  }

  /** Revokes the tokens. If the action must not change the installation, returns `stop` with the reason. */
  async function giveBack(
    installation: InstallRecord,
    form: URLSearchParams,
  ): Promise<Revocation | { stop: Notice }> {
    if (form.get('installed') !== String(installation.installedAt)) return { stop: 'changed_meanwhile' };
    if (installation.status === 'uninstalled') return { revoked: 0, notRevoked: [] };
    const signal = AbortSignal.timeout(giveBackMs);
    const slack: SlackClientFactory = (token, limits) => deps.slack(token, { ...limits, signal });
    let revocation: Revocation;
    try {
      revocation = await revokeTokens(
        { queries: database.queries, store, tokens, slack, signal },
        installation.id,
      );
    } catch (error) {
      if (!(error instanceof SealBrokenError || error instanceof KeyMissingError)) throw error;
      log.warn({ err: error, installationId: installation.id }, 'tokens could not be decrypted');
      return { stop: 'keys_do_not_fit' };
    }
    // If someone installed the app again during the call to Slack, that install stays.
    const still = await readInstallRecord(database.queries, installation.id);
    return still?.installedAt === installation.installedAt ? revocation : { stop: 'changed_meanwhile' };
  }

  async function markGone(installation: InstallRecord, form: URLSearchParams, by: Operator): Promise<Notice> {
    if (installation.status === 'uninstalled') return 'already_gone';
    const given = await giveBack(installation, form);
    if ('stop' in given) return given.stop;
    const { teamId, enterpriseId, isEnterpriseInstall } = installation;
    const gone = await store.deleteInstallation(
      { teamId, enterpriseId, isEnterpriseInstall },
      { reason: 'operator' },
    );
    if (!gone) return 'already_gone';
    await record(installation, by, `mark as gone: ${revocationText(given)}`);
    deps.wakeWorker();
    return given.notRevoked.length > 0 ? 'marked_gone_not_revoked' : 'marked_gone';
  }

  async function purge(installation: InstallRecord, form: URLSearchParams, by: Operator): Promise<Notice> {
    const given = await giveBack(installation, form);
    if ('stop' in given) return given.stop;
    const { id: installationId, teamId, enterpriseId, isEnterpriseInstall } = installation;
    await store.deleteInstallation({ teamId, enterpriseId, isEnterpriseInstall }, { reason: 'purge' });
    deps.wakeWorker();
    if (await settleUninstall(database.queries, installationId, uninstallWaitMs)) return 'purge_waits';
    await store.purgeInstallation(installationId);
    log.warn(
      { installationId, teamId, enterpriseId, tokens: revocationText(given), by: operatorName(by) },
      'purged by an operator',
    );
    deps.wakeWorker();
    return given.notRevoked.length > 0 ? 'purged_not_revoked' : 'purged';
  }

  const carryOut = { retry, welcome, 'mark-gone': markGone, purge };

  return async function act(
    action: OperatorAction,
    installation: InstallRecord,
    press: { form: URLSearchParams; address: string; by: Operator },
  ): Promise<Notice> {
    const notice = await carryOut[action](installation, press.form, press.by);
    log.info(
      {
        action,
        installationId: installation.id,
        notice,
        address: press.address,
        by: operatorName(press.by),
      },
      'an operator pressed a button',
    );
    return notice;
  };
}

function revocationText({ revoked, notRevoked }: Revocation): string {
  const kept = notRevoked.map(({ of, error }) => `${of} (${error})`).join(', ');
  return `${counted(revoked, 'token')} revoked at Slack${kept === '' ? '' : `, not revoked: ${kept}`}`;
}
