import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { findWitnesses, inactiveCode, listHeldInstallations } from '../database/installations.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import type { InstallationStore, StoredInstallation } from './installation-store.ts';

/**
 * Slack answers `account_inactive` for a team that removed the app, and for every team once Slack has suspended or
 * deleted the app. Slack documents no code that distinguishes the two. An uninstall erases a customer's tokens and
 * cancels their plan, so after this answer, Foyer uninstalls only with proof that the app itself still works.
 *
 * - **witness**: another active installation, whose token Foyer tests with `auth.test`. If Slack accepts that token,
 *   the app is not suspended. If Slack then still calls the team inactive, the team has removed the app, and Foyer
 *   uninstalls it.
 * - **held**: no witness works, or there is none. The installation is marked broken, its tokens stay, and none of the
 *   developer's code runs for it. A chore tests its token again until Slack accepts the token, calls it inactive while
 *   a witness works, or refuses it for another reason.
 *
 * Why a lone customer is held too: a suspension cannot be ruled out, and waiting costs less than canceling a plan by
 * mistake. The next customer's install becomes a witness. An `app_uninstalled` event needs no proof: it is applied even
 * while installations are held.
 */

/** `limit`: the most installations that one pass tests. `signal` ends the pass early. */
export interface SettleHeldOptions {
  limit?: number;
  signal?: AbortSignal;
}

/** How many installations a pass found in each state. */
export interface SettledHeld {
  /** Installations whose token works again. They are now active. */
  active: number;
  /** Installations whose team has removed the app. They are now uninstalled. */
  uninstalled: number;
  /** Installations whose token Slack refuses for a reason other than `account_inactive`, such as `token_revoked`. */
  broken: number;
  /** Installations that are still held. */
  held: number;
}

/** The time limit of one test of a token. Short, because one request may need three tests within its ten seconds. */
const testTimeoutMs = 3000;
const witnessesAsked = 2;
const testsAtOnce = 4;
/**
 * If this many consecutive installations are still held after their test, the pass ends: the app is probably still
 * suspended.
 */
const heldInARow = 3;

/** The result of `auth.test`: `works`, Slack's error code for a dead token, or `unknown` after any other failure. */
type Answer = 'works' | 'unknown' | (string & {});

export function createInactiveInstallations(deps: {
  store: InstallationStore;
  database: Database;
  slack: SlackClientFactory;
  config: { slack: { clientId: string } };
  /**
   * Renews the bot's token if it has expired. Resolves to Slack's error code if the refresh token is dead, to `unknown`
   * if the renewal failed for another reason, and otherwise to undefined.
   */
  renewExpired(stored: StoredInstallation): Promise<string | undefined>;
  onUninstalled?(): void;
  /** Called when a held installation works again. Must not throw. */
  onWorksAgain?(installationId: string): void;
  now: () => number;
  log: Logger;
}) {
  const { store, database, now, log } = deps;
  const { clientId } = deps.config.slack;

  async function ask(token: string): Promise<Answer> {
    try {
      await deps.slack(token, { timeoutMs: testTimeoutMs }).auth.test();
      return 'works';
    } catch (error) {
      const failure = slackFailure(error);
      if (!failure) throw error;
      return failure.kind === 'token-dead' ? failure.code : 'unknown';
    }
  }

  /** Returns whether Slack accepts the token of an active installation other than `except`. Tests two at most. */
  async function appWorks(except?: string): Promise<boolean> {
    const search = { clientId, except, now: now(), limit: witnessesAsked };
    for (const installationId of await findWitnesses(database.queries, search)) {
      const witness = await store.readInstallation(installationId);
      const token = witness?.installation.bot?.token;
      if (!token) continue;
      const answer = await ask(token);
      if (answer === 'works') return true;
      // Marks the witness broken, so that the next search does not find it again and can test other witnesses.
      if (answer !== 'unknown') await markBroken(witness, answer);
    }
    return false;
  }

  async function markBroken({ installationId, version }: StoredInstallation, code: string): Promise<boolean> {
    const marked = await store.markBroken(installationId, code, version);
    if (marked && code === inactiveCode) {
      log.error(
        { installationId, code },
        'Slack says that an installation is inactive. Foyer found no other installation whose token works, so Slack may have suspended the app. Foyer marks the installation broken and keeps its tokens (docs/runbook.md#foyerappsuspended)',
      );
    }
    return marked;
  }

  async function uninstall({ installationId, installation, version }: StoredInstallation): Promise<boolean> {
    const { team, enterprise, isEnterpriseInstall } = installation;
    const tenant = { teamId: team?.id, enterpriseId: enterprise?.id, isEnterpriseInstall };
    const gone = await store.deleteInstallation(tenant, { reason: inactiveCode, ifVersion: version });
    if (gone) {
      log.warn({ installationId }, 'Slack says that the app was removed: the installation is uninstalled');
      deps.onUninstalled?.();
    }
    return gone;
  }

  /**
   * Tests the token of a held installation. Renews an expired token first: Slack's refusal of an expired token would
   * prove nothing.
   */
  async function askAbout(
    stored: StoredInstallation,
  ): Promise<{ answer: Answer; fresh: StoredInstallation }> {
    const refused = await deps.renewExpired(stored);
    if (refused !== undefined) return { answer: refused, fresh: stored };
    const fresh = (await store.readInstallation(stored.installationId)) ?? stored;
    return { answer: await ask(fresh.installation.bot?.token ?? ''), fresh };
  }

  async function retest(installationId: string): Promise<keyof SettledHeld> {
    const stored = await store.readInstallation(installationId);
    if (stored?.status !== 'broken') return 'held';
    // Tests another installation (a witness) before the held installation. If Slack accepts the witness's token and
    // then still calls the held installation inactive, the team has removed the app. Why in this order: if Slack lifted
    // a suspension between the two tests, the opposite order would find the held installation inactive and the witness
    // active, which would look like an uninstall.
    const works = await appWorks(installationId);
    const { answer, fresh } = await askAbout(stored);
    if (answer === 'works') {
      if (!(await store.markWorking(installationId, fresh.version))) return 'held';
      log.info(
        { installationId },
        'Slack called an installation inactive, but accepts its token again: Foyer has marked the installation active',
      );
      deps.onWorksAgain?.(installationId);
      return 'active';
    }
    if (answer === inactiveCode) return works && (await uninstall(fresh)) ? 'uninstalled' : 'held';
    if (answer === 'unknown') return 'held';
    await store.markBroken(installationId, answer, fresh.version);
    return 'broken';
  }

  return {
    appWorks,

    /**
     * Handles an installation that Slack has just called inactive: uninstalls or holds it, as described at the top of
     * this file. If Slack gives another reason when asked again, marks the installation broken with that reason.
     * Resolves to whether the installation changed.
     */
    async settle(stored: StoredInstallation): Promise<boolean> {
      const token = stored.installation.bot?.token;
      if (!token || !(await appWorks(stored.installationId))) return markBroken(stored, inactiveCode);
      // Why the token is tested again: a single wrong answer must not erase a customer's tokens and cancel their plan.
      const answer = await ask(token);
      if (answer === inactiveCode) return uninstall(stored);
      return markBroken(stored, answer === 'works' || answer === 'unknown' ? inactiveCode : answer);
    },

    /** Tests the tokens of held installations again: implements `TokenSource.settleHeld`. */
    async settleHeld({ limit = 500, signal }: SettleHeldOptions = {}): Promise<SettledHeld> {
      const queue = await listHeldInstallations(database.queries, { clientId, limit });
      const settled: SettledHeld = { active: 0, uninstalled: 0, broken: 0, held: 0 };
      let inARow = 0;
      const work = async () => {
        for (;;) {
          if (inARow >= heldInARow || signal?.aborted) return;
          const installationId = queue.shift();
          if (installationId === undefined) return;
          const end = await retest(installationId).catch((error) => {
            log.warn(
              { installationId, err: error },
              'could not test whether a held installation works again',
            );
            return 'held' as const;
          });
          settled[end] += 1;
          inARow = end === 'held' ? inARow + 1 : 0;
        }
      };
      await Promise.all(Array.from({ length: testsAtOnce }, work));
      return settled;
    },
  };
}
