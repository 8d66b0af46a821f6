import type { Insertable } from 'kysely';
import type { Tables } from '../../src/database/records.ts';
import type { Keyring } from '../../src/installations/keyring.ts';
import { createTokenCipher } from '../../src/installations/open-installation.ts';

/** A token refresh that a process began but never finished. */
const deadRefresh = { refresh_owner: 'a dead process', refresh_until: 1 };

/** The tables that all apps and tenants of a database share. A tenant has its own rows in each of the other tables. */
type OfAll = 'encryption_keys' | 'key_holders' | 'maintenance' | 'kept_counts';

/** The values from which the rows of one tenant of one app are made. */
export interface Tenant {
  /** Marks the tenant's rows: each row has this word in one of its ids or names. */
  mark: string;
  clientId: string;
  /** Null for an org-wide install. */
  teamId: string | null;
  enterpriseId: string | null;
  /** The enterprise in the tenant's row of `team_access`. */
  grantsOf: string;
  /** `dueAt` is when the tenant's pending work is due, and `madeAt` is when its rows were made. */
  dueAt: number;
  madeAt: number;
  /**
   * When the tenant's row of `ended_sessions` expires. By default, at `dueAt`. Each app deletes the expired rows of all
   * apps, so a row that must stay needs a time in the future.
   */
  endedUntil?: number;
}

/** A tenant's rows, two or more in nearly every table, in the order in which they can be inserted. */
export function tenantRows(
  { mark, clientId: client_id, teamId, enterpriseId, grantsOf, dueAt, madeAt, endedUntil = dueAt }: Tenant,
  userIds: readonly [string, string],
  keyring: Keyring,
): { [Name in Exclude<keyof Tables, OfAll>]: Insertable<Tables[Name]>[] } {
  const cipher = createTokenCipher({ keyring });
  const installation_id = `ins_${mark}`;
  const ofTeam = { client_id, team_id: teamId ?? enterpriseId ?? '' };
  const times = { first_seen_at: madeAt, updated_at: madeAt };
  const runs = [`run_${mark}1`, `run_${mark}2`, `run_${mark}3`] as const;
  const [ended, running, waiting] = runs;
  const [first, second] = userIds;
  const run = { installation_id, life: 1, created_at: madeAt, started_at: madeAt };
  const free = { due_at: null, waiting_for: null, lease_owner: null, lease_until: null };
  const message = {
    installation_id,
    life: 1,
    run_id: ended,
    status: 'sending' as const,
    channel_id: 'D1',
    message_ts: null,
    attempted_at: madeAt,
    sent_at: dueAt,
    search_before: null,
    search_calls: 0,
  };
  const secret = (kind: string, of: string) => ({
    token: `${kind}-${mark}-${of}`,
    refreshToken: `xoxe-1-${mark}-${of}`,
    expiresAt: Math.floor(madeAt / 1000),
    scopes: ['chat:write'],
  });
  const place = {
    team: teamId === null ? undefined : { id: teamId, name: `Team ${mark}` },
    enterprise: enterpriseId === null ? undefined : { id: enterpriseId, name: `Enterprise ${mark}` },
  };
  return {
    installations: [
      {
        id: installation_id,
        client_id,
        tenant: teamId === null ? `enterprise:${enterpriseId}` : `team:${teamId}`,
        team_id: teamId,
        team_name: teamId && `Team ${mark}`,
        enterprise_id: enterpriseId,
        enterprise_name: enterpriseId && `Enterprise ${mark}`,
        is_enterprise_install: teamId === null ? 1 : 0,
        app_id: 'A1',
        status: 'active',
        broken_reason: null,
        life: 1,
        version: 1,
        installer_user_id: first,
        installed_at: madeAt,
        slack_installed_at: madeAt,
        uninstalled_at: null,
        bot_user_id: 'UBOT',
        bot_scopes: '["chat:write"]',
        bot_expires_at: madeAt,
        sealed_bot: cipher.sealBot(installation_id, {
          ...place,
          isEnterpriseInstall: teamId === null,
          bot: { id: 'B1', userId: 'UBOT', ...secret('xoxb', 'bot') },
        } as Parameters<typeof cipher.sealBot>[1]),
        ...deadRefresh,
      },
    ],
    user_tokens: userIds.map((user_id) => ({
      installation_id,
      user_id,
      version: 1,
      expires_at: madeAt,
      sealed_user: cipher.sealUser(installation_id, { id: user_id, ...secret('xoxp', user_id) }),
      updated_at: madeAt,
      ...deadRefresh,
    })),
    teams: [{ ...ofTeam, name: `Team ${mark}`, domain: mark, icon_url: null, enterprise_id: null, ...times }],
    users: userIds.map((user_id) => ({
      ...ofTeam,
      user_id,
      name: mark,
      real_name: `${user_id} ${mark}`,
      email: `${user_id}@${mark}.example`,
      timezone: 'Asia/Tokyo',
      locale: 'ja-JP',
      avatar_url: null,
      ...times,
    })),
    memberships: userIds.map((user_id) => ({ ...ofTeam, user_id, is_admin: 1, is_owner: 1, ...times })),
    external_members: userIds.map((user_id) => ({
      ...ofTeam,
      home_team_id: `THOME${mark}`,
      user_id,
      name: mark,
      ...times,
      last_seen_at: madeAt,
    })),
    team_access: [
      {
        client_id,
        enterprise_id: grantsOf,
        team_id: `T${mark}`,
        granted: 1,
        changed_at: madeAt,
      },
    ],
    // `seen_at` is in the future, because a chore deletes old deliveries.
    seen_deliveries: [{ client_id, key: `event Ev${mark}`, seen_at: 8e12 }],
    install_requests: (['installed', 'started'] as const).map((outcome) => ({
      id: `req_${mark}_${outcome}`,
      client_id,
      progress_hash: `hash_${mark}_${outcome}`,
      outcome,
      error_code: null,
      started_at: madeAt,
      used_at: madeAt,
      finished_at: null,
      requested_team_id: null,
      team_id: teamId,
      team_name: null,
      enterprise_id: enterpriseId,
      user_id: first,
      installation_id,
      run_id: ended,
      sealed_tokens: outcome === 'started' ? cipher.sealer.seal('{}', mark) : null,
    })),
    runs: [
      {
        id: ended,
        pipeline: 'install',
        ...run,
        user_id: first,
        status: 'succeeded',
        finished_at: madeAt,
        ...free,
      },
      {
        id: running,
        pipeline: 'install',
        ...run,
        user_id: second,
        status: 'running',
        finished_at: null,
        due_at: dueAt,
        waiting_for: null,
        lease_owner: `elsewhere:1:${mark}/1`,
        lease_until: dueAt,
      },
      {
        id: waiting,
        pipeline: 'install',
        ...run,
        user_id: first,
        status: 'waiting',
        finished_at: null,
        ...free,
        waiting_for: teamId === null ? 'team_access_granted' : 'uninstall_run',
      },
    ],
    steps: runs.flatMap((run_id) =>
      ['register-team', 'send-welcome', 'only'].map((step, position) => ({
        run_id,
        name: step,
        position,
        status: run_id === ended ? ('succeeded' as const) : ('running' as const),
        attempts: 1,
        failures: 0,
        output: run_id === ended ? `{"of":"${mark}"}` : null,
        error_code: null,
        error_message: run_id === ended ? `about ${mark}` : null,
        started_at: madeAt,
        finished_at: null,
      })),
    ),
    step_attempts: runs.flatMap((run_id) =>
      ['send-welcome', 'only'].map((step_name) => ({
        run_id,
        step_name,
        attempt: 1,
        outcome: 'started' as const,
        error_code: null,
        error_message: run_id === ended ? `about ${mark}` : null,
        started_at: madeAt,
        finished_at: null,
      })),
    ),
    welcomes: userIds.map((user_id) => ({ ...message, user_id })),
    posts: ['tips', 'greeting'].map((key) => ({ ...message, key })),
    questions: runs.map((run_id) => ({
      run_id,
      step_name: 'ask',
      question_id: 'channel',
      question: '{"id":"channel","text":"Which?","input":{"type":"channel"}}',
      asked_at: madeAt,
      remind_at: dueAt,
      expires_at: null,
      answer: run_id === ended ? `an answer of ${mark}` : null,
      answered_by: run_id === ended ? first : null,
      answered_at: run_id === ended ? madeAt : null,
    })),
    history: (['installed', 'uninstalled', 'reinstalled'] as const).map((kind, index) => ({
      id: `his_${index}_${mark}`,
      installation_id,
      at: madeAt,
      kind,
      user_id: first,
      detail: null,
    })),
    home_views: userIds.map((user_id) => ({
      installation_id,
      user_id,
      opened_at: dueAt,
      published_hash: 'p',
      sending_hash: 's',
    })),
    operator_notices: (['webhook', 'mail'] as const).map((channel) => ({
      cause_id: `${ended}/failed`,
      channel,
      installation_id,
      kind: 'run_failed' as const,
      user_id: first,
      detail: null,
      created_at: 1000,
      status: 'pending' as const,
      attempts: 0,
      error_code: null,
      due_at: dueAt,
      changed_at: 1000,
    })),
    connections: [
      {
        id: `con_${mark}`,
        installation_id,
        org: 'org-1',
        subject: 'subject',
        label: null,
        data: null,
        connected_at: madeAt,
      },
    ],
    used_links: [
      {
        client_id,
        jti: `link-${mark}`,
        installation_id,
        run_id: ended,
        org: 'org-1',
        progress_hash: null,
        used_at: madeAt,
      },
    ],
    unknown_teams: [{ client_id, tenant: `team:T${mark}`, first_seen_at: madeAt, last_seen_at: madeAt }],
    sessions: userIds.map((user_id) => ({
      id: `session_${mark}_${user_id}`,
      client_id,
      kind: 'member' as const,
      installation_id,
      life: 1,
      registered_team_id: ofTeam.team_id,
      team_id: ofTeam.team_id,
      enterprise_id: enterpriseId,
      user_id,
      slack_signed_at: madeAt,
      began_at: madeAt,
      seen_at: madeAt,
      checked_at: null,
      browser: null,
      address: null,
    })),
    chores: [{ name: `${mark}`, begun_at: madeAt }],
    ended_sessions: [{ id: `${mark}`, lapses_at: endedUntil }],
  };
}
