import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import {
  type ConnectionWithPlace,
  deleteConnections,
  isKnownAdmin,
  listConnections,
  readConnections,
  saveConnection,
  useLink,
} from '../database/connections.ts';
import type { Database } from '../database/database.ts';
import { appendHistory } from '../database/history.ts';
import { registeredTeamId } from '../database/install-record.ts';
import { lockInstallation } from '../database/installations.ts';
import type { InstallationRow, InstallationStatus } from '../database/records.ts';
import type { Sealer } from '../installations/sealer.ts';
import { ConnectError } from './connect-error.ts';
import { type ConnectResult, createLink, linkClaims, readResult } from './link.ts';
import type { CookieTarget, LinkCookies } from './link-cookies.ts';

/** Which of the host's accounts a workspace belongs to. */
export interface Connection {
  id: string;
  installationId: string;
  /** The host's own id for the account. */
  org: string;
  /** The host's own id for the person who connected the workspace; null if the host gave none. */
  subject: string | null;
  label: string | null;
  /** The link's data for the app's steps; null if there is none. */
  data: unknown;
  /** ISO 8601. */
  connectedAt: string;
  /**
   * uninstalled: the connection has ended. A reinstall with no link, or with a link to the same account, restores it.
   */
  status: InstallationStatus;
  teamId: string | null;
  teamName: string | null;
  enterpriseId: string | null;
  isEnterpriseInstall: boolean;
}

/** The content of a link. */
export interface ConnectOptions {
  /** The host's own id for the person who is logged in. */
  subject?: string;
  /** The host's own id for the account that the workspace will belong to. */
  org: string;
  /** The account's name. Pages that ask the installer to confirm the account show it. */
  label?: string;
  /** Where the browser goes afterward, with a signed result; its origin must be one of CONNECT_RETURN_ORIGINS. */
  returnTo?: string;
  /** The only workspace (T…) or organization (E…) that the link may connect, for example to repair an installation. */
  teamId?: string;
  /** JSON for the app's steps, at most 1000 bytes. */
  data?: unknown;
  /** How long the link is valid: by default an hour, at most seven days. */
  ttlMs?: number;
}

/** The account to connect a claimed workspace to, and the person who claims it. */
export type ClaimingAccount = Pick<ConnectOptions, 'subject' | 'org' | 'label'>;

/** The workspace that a claim is about. */
export type ClaimedWorkspace = Pick<Connection, 'installationId' | 'teamId' | 'teamName' | 'enterpriseId'> & {
  enterpriseName: string | null;
  expiresAt: Date;
};

/** How an app reads and removes its connections. */
export interface ConnectionList {
  /** Returns the first connection of an account or an installation, in the order of `list`; undefined if none. */
  find(target: { org: string } | { installationId: string }): Promise<Connection | undefined>;
  /** Lists connections: active ones first, then broken, then uninstalled; within each status, the newest first. */
  list(filter?: { org?: string }): Promise<Connection[]>;
  /** Removes a connection; the installation stays. Resolves to whether the connection existed. */
  remove(id: string): Promise<boolean>;
}

export const claimLifetimeMs = 60 * 60_000;

const claimSchema = z.object({
  id: z.string(),
  installationId: z.string(),
  life: z.number(),
  userId: z.string(),
  until: z.number(),
});

type Claim = z.output<typeof claimSchema>;

/** Makes the address where an installer or admin claims an unconnected workspace. */
export type ClaimUrl = (holder: { installationId: string; life: number; userId: string }) => string;

interface ConnectionsDeps {
  config: Pick<Config, 'connect' | 'http' | 'slack'>;
  database: Database;
  cookies: LinkCookies;
  /** Seals claims, and nothing else. */
  claimSealer: Sealer;
  /** Called after a claim or a removal, because the installation's App Home is then out of date. Must not throw. */
  onChanged?(installationId: string): void;
  /** Called when a workspace was claimed. Must not throw. */
  onClaimed?(): void;
  now: () => number;
}

/** Creates the functions for links, claims and connections. */
export function createConnections(deps: ConnectionsDeps) {
  const { config, database, cookies, claimSealer, now } = deps;
  const { clientId } = config.slack;

  function settings() {
    if (config.connect) return config.connect;
    throw new ConnectError('connect_off', 'Connecting is off: set CONNECT_SECRET.');
  }

  function openClaim(token: string): Claim {
    settings();
    let claim: Claim;
    try {
      if (token.length > 2000) throw new Error('it is too long');
      claim = claimSchema.parse(JSON.parse(claimSealer.open(token, 'claim')));
    } catch (cause) {
      throw new ConnectError(
        'claim_invalid',
        'The claim is damaged, or was not issued with this Foyer’s keys.',
        { cause },
      );
    }
    if (claim.until <= now()) throw new ConnectError('claim_expired', 'The claim is older than an hour.');
    return claim;
  }

  /**
   * @throws ConnectError if the app was uninstalled after the claim was made, or if the person in the claim is neither
   * the installer nor an admin
   */
  async function assertClaimable(
    queries: Database['queries'],
    claim: Claim,
    row: InstallationRow | undefined,
  ): Promise<void> {
    if (!row || row.client_id !== clientId || row.status === 'uninstalled' || row.life !== claim.life)
      throw new ConnectError('claim_invalid', 'The app has since been uninstalled.');
    const { userId } = claim;
    const teamId = registeredTeamId({ teamId: row.team_id, enterpriseId: row.enterprise_id });
    const mayClaim =
      userId === row.installer_user_id || (await isKnownAdmin(queries, { clientId, teamId, userId }));
    if (!mayClaim)
      throw new ConnectError('claim_invalid', 'Only the installer and admins may claim a workspace.');
  }

  function claimUrlAt(address: string | undefined): ClaimUrl | undefined {
    if (address === undefined) return undefined;
    return (holder) => {
      const claim: Claim = { ...holder, id: randomUUID(), until: now() + claimLifetimeMs };
      const url = new URL(address);
      url.searchParams.set('foyer_claim', claimSealer.seal(JSON.stringify(claim), 'claim'));
      return url.href;
    };
  }

  async function find(target: { org: string } | { installationId: string }): Promise<Connection | undefined> {
    const [row] = await listConnections(database.queries, { clientId, ...target });
    return row && toConnection(row);
  }

  return {
    async connect(
      options: ConnectOptions,
      res?: CookieTarget,
    ): Promise<{ url: string; jti: string; expiresAt: Date }> {
      const at = now();
      const lifetimeMs = options.ttlMs ?? 60 * 60_000;
      const claims = {
        sub: options.subject,
        org: options.org,
        label: options.label,
        return_to: options.returnTo,
        team: options.teamId,
        // `createLink` throws if this is not JSON.
        data: options.data as z.core.util.JSONType | undefined,
        jti: randomUUID(),
      };
      const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
      const expiresAt = at + lifetimeMs;
      const link = await createLink(settings(), given as typeof claims, { now: at, expiresAt });
      if (res) cookies.bind(res, claims.jti, lifetimeMs);
      const url = `${config.http.baseUrl}/slack/install?connect=${link}`;
      return { url, jti: claims.jti, expiresAt: new Date(expiresAt) };
    },

    readResult(token: string): ConnectResult {
      return readResult(settings().secret, token, now());
    },

    /** Makes a claim's address; undefined if claiming is off. */
    claimUrl: claimUrlAt(config.connect?.claimUrl),

    /** Returns the workspace that a claim is about, so that the host's page can name it next to its button. */
    async readClaim(token: string): Promise<ClaimedWorkspace> {
      const claim = openClaim(token);
      const rows = database.queries.selectFrom('installations').where('id', '=', claim.installationId);
      const row = await rows.selectAll().executeTakeFirst();
      await assertClaimable(database.queries, claim, row);
      return {
        installationId: claim.installationId,
        teamId: row?.team_id ?? null,
        teamName: row?.team_name ?? null,
        enterpriseId: row?.enterprise_id ?? null,
        enterpriseName: row?.enterprise_name ?? null,
        expiresAt: new Date(claim.until),
      };
    },

    async claim(token: string, account: ClaimingAccount): Promise<Connection> {
      const claim = openClaim(token);
      const { installationId, userId } = claim;
      const { subject: sub, org, label } = account;
      const checked = linkClaims.pick({ sub: true, org: true, label: true }).safeParse({ sub, org, label });
      if (!checked.success)
        throw new ConnectError(
          'claim_invalid',
          'org is required; org, subject and label must each be one line of text, not empty and not too long.',
        );
      await database.write(async (transaction) => {
        const row = await lockInstallation(transaction, { id: installationId });
        await assertClaimable(transaction, claim, row);
        const use = { installation_id: installationId, run_id: null, org, progress_hash: null };
        if (!(await useLink(transaction, { clientId, jti: `claim:${claim.id}`, ...use, now: now() })))
          throw new ConnectError('claim_used', 'The claim was already used.');
        if ((await readConnections(transaction, installationId)).length > 0)
          throw new ConnectError('already_connected', 'The workspace is already connected.');
        const connected = { installationId, subject: sub ?? null, org, label: label ?? null, data: null };
        await saveConnection(transaction, { ...connected, now: now() });
        const line = { installationId, at: now(), userId, detail: org };
        await appendHistory(transaction, { ...line, kind: 'connected' });
      });
      deps.onClaimed?.();
      deps.onChanged?.(installationId);
      const connection = await find({ installationId });
      if (!connection) throw new ConnectError('claim_invalid', 'The workspace has since been erased.');
      return connection;
    },

    connections: {
      find,
      async list({ org } = {}) {
        return (await listConnections(database.queries, { clientId, org })).map(toConnection);
      },
      async remove(id) {
        const installationId = await database.write(async (transaction) => {
          const [known] = await listConnections(transaction, { clientId, id });
          if (!known) return undefined;
          await lockInstallation(transaction, { id: known.installation_id });
          // The transaction that held the lock before this one may have removed the connection.
          const [row] = await listConnections(transaction, { clientId, id });
          if (!row) return undefined;
          await deleteConnections(transaction, [id]);
          const line = { installationId: row.installation_id, at: now(), userId: null };
          await appendHistory(transaction, { ...line, kind: 'disconnected', detail: row.org });
          return row.installation_id;
        });
        if (installationId !== undefined) deps.onChanged?.(installationId);
        return installationId !== undefined;
      },
    } satisfies ConnectionList,
  };
}

export type Connections = ReturnType<typeof createConnections>;

function toConnection(row: ConnectionWithPlace): Connection {
  return {
    id: row.id,
    installationId: row.installation_id,
    org: row.org,
    subject: row.subject,
    label: row.label,
    data: row.data === null ? null : JSON.parse(row.data),
    connectedAt: new Date(row.connected_at).toISOString(),
    status: row.status,
    teamId: row.team_id,
    teamName: row.team_name,
    enterpriseId: row.enterprise_id,
    isEnterpriseInstall: row.is_enterprise_install === 1,
  };
}
