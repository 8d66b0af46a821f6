import type { Logger } from './config/log.ts';
import type { ConnectionList } from './connections/create-connections.ts';
import type { Database } from './database/database.ts';
import { findInstallRecords, type InstallRecord, readInstallRecord } from './database/install-record.ts';
import { listMembersPage } from './database/people/member-lists.ts';
import { toMember } from './database/people/members.ts';
import { prepareMember } from './database/people/people.ts';
import { findRun } from './database/runs.ts';
import type { FoundInstallation, Foyer, Target } from './foyer.ts';
import type { PublishHome } from './home/publish-home.ts';
import type { InstallationStore } from './installations/create-installation-store.ts';
import { InstallationNotFoundError, type TenantQuery } from './installations/installation-store.ts';
import { KeyMissingError, SealBrokenError } from './installations/sealer.ts';
import type { TokenSource } from './installations/token-source.ts';
import { installRecordJson, memberJson } from './operator/install-record-json.ts';
import { listInstallationsPage } from './operator/installation-lists.ts';
import { revokeTokens } from './operator/revoke-tokens.ts';
import { retryRun } from './pipeline/retry-run.ts';
import { mostBytesOfListeners, type SlackClientFactory } from './slack/create-slack-client.ts';

type InstallationMethods = Pick<
  Foyer,
  'slack' | 'find' | 'list' | 'members' | 'uninstall' | 'retry' | 'publishHome'
>;

/** Creates the methods with which an app uses its installations. */
export function createInstallationMethods({
  database,
  clientId,
  store,
  tokens,
  slack,
  connections,
  publishHome,
  wakeWorker,
  now,
  log,
}: {
  database: Database;
  clientId: string;
  store: InstallationStore;
  tokens: Pick<TokenSource, 'botToken' | 'userToken' | 'renewExpired'>;
  slack: SlackClientFactory;
  connections: ConnectionList;
  publishHome: PublishHome;
  wakeWorker(): void;
  now(): number;
  log: Logger;
}): InstallationMethods {
  /** Finds the installation that an account is connected to; if there are several, the newest usable one. */
  const installationOf = async (org: string): Promise<string | undefined> =>
    (await connections.find({ org }))?.installationId;

  async function queryOf(target: Target): Promise<TenantQuery | string> {
    if ('org' in target) {
      const found = await installationOf(target.org);
      if (found === undefined) throw new InstallationNotFoundError(`the org ${target.org}`, 'unknown');
      return found;
    }
    if ('installationId' in target) {
      const record = await findRecord(target);
      if (!record) throw new InstallationNotFoundError(target.installationId, 'unknown');
      return record.id;
    }
    return 'teamId' in target
      ? { teamId: target.teamId, isEnterpriseInstall: false }
      : { enterpriseId: target.enterpriseId, isEnterpriseInstall: true };
  }

  async function findRecord(target: Target): Promise<InstallRecord | undefined> {
    if ('org' in target) {
      const installationId = await installationOf(target.org);
      return installationId === undefined ? undefined : readInstallRecord(database.queries, installationId);
    }
    if ('installationId' in target) {
      const record = await readInstallRecord(database.queries, target.installationId);
      // Apps that share a database do not see each other's installations.
      return record?.clientId === clientId ? record : undefined;
    }
    const id = 'teamId' in target ? target.teamId : target.enterpriseId;
    const records = await findInstallRecords(database.queries, clientId, id);
    return records.find((record) => record.isEnterpriseInstall === !('teamId' in target));
  }

  const readMember = prepareMember(database);

  const shown = (record: InstallRecord): FoundInstallation => ({
    installationId: record.id,
    ...installRecordJson(record),
  });

  return {
    async slack(target, { userId } = {}) {
      const limits = { mostBytes: mostBytesOfListeners };
      if (userId === undefined) return slack(await tokens.botToken(await queryOf(target)), limits);
      const record = await findRecord(target);
      if (!record) throw new InstallationNotFoundError(Object.values(target).join(), 'unknown');
      const userToken = await tokens.userToken(record.id, userId);
      if (userToken === undefined) throw new InstallationNotFoundError(`the user ${userId}`, 'no_user');
      return slack(userToken, limits);
    },
    async find(target) {
      const record = await findRecord(target);
      return record && shown(record);
    },
    async list(options = {}) {
      const { limit = 50, status, cursor } = options;
      const [, at, id] = /^(\d{1,15})\.([\w-]{1,100})$/.exec(cursor ?? '') ?? [];
      if (cursor && id === undefined)
        throw new TypeError('list: `cursor` must be one that an earlier page returned');
      const page = await listInstallationsPage(database.queries, {
        clientId,
        limit: Math.min(Math.max(1, limit), 500),
        statuses: status && [status],
        cursor: id === undefined ? undefined : { at: Number(at), id, towards: 'older' },
      });
      return {
        installations: page.rows.map(shown),
        cursor: page.older && `${page.older.at}.${page.older.id}`,
      };
    },
    members: {
      async list(target, { search, cursor, limit = 50 } = {}) {
        const [, at, id] = /^(\d{1,15})\.(\w{1,64}-\w{1,64})$/.exec(cursor ?? '') ?? [];
        if (cursor && id === undefined)
          throw new TypeError('members.list: `cursor` must be one that an earlier page returned');
        const record = await findRecord(target);
        if (!record) return { members: [], cursor: null };
        const page = await listMembersPage(database.queries, record, {
          text: search?.trim() || undefined,
          limit: Math.min(Math.max(1, limit), 500),
          cursor: id === undefined ? undefined : { at: Number(at), id, towards: 'older' },
        });
        return {
          members: page.rows.map(memberJson),
          cursor: page.older && `${page.older.at}.${page.older.id}`,
        };
      },
      async find(target, userId) {
        const record = await findRecord(target);
        const profile = record && (await readMember(record, userId))?.profile;
        return profile && memberJson(toMember(profile));
      },
    },
    async uninstall(target, reason) {
      const record = await findRecord(target);
      if (!record || record.status === 'uninstalled') return false;
      await revokeTokens({ queries: database.queries, store, tokens, slack }, record.id).catch((error) => {
        // If Foyer cannot decrypt the tokens, it only erases them. They stop working when the team removes the app in
        // Slack.
        if (!(error instanceof SealBrokenError || error instanceof KeyMissingError)) throw error;
        log.warn({ err: error, installationId: record.id }, 'tokens could not be revoked');
      });
      const current = await findRecord({ installationId: record.id });
      // If the app was installed again in the meantime, that install stays.
      if (current?.installedAt !== record.installedAt) return false;
      const { teamId, enterpriseId, isEnterpriseInstall } = record;
      await store.deleteInstallation({ teamId, enterpriseId, isEnterpriseInstall }, { reason });
      wakeWorker();
      // Ignores the store's result: Slack's event about the revocation may have uninstalled the app first.
      const after = await findRecord({ installationId: record.id });
      return after?.status === 'uninstalled' && after.installedAt === record.installedAt;
    },
    async retry(runId) {
      if (!(await findRun(database.queries, clientId, runId))) return false;
      const outcome = await retryRun(database, runId, { userId: null, now: now() });
      wakeWorker();
      return outcome === 'queued' || outcome === 'woken';
    },
    async publishHome(target, userId) {
      const record = await findRecord(target);
      if (!record) return;
      const teamId = 'teamId' in target ? target.teamId : (record.teamId ?? undefined);
      await publishHome({ installationId: record.id, userId, teamId });
    },
  };
}
