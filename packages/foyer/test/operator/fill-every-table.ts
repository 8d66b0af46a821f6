import type { Insertable } from 'kysely';
import type { Database } from '../../src/database/database.ts';
import type { Tables } from '../../src/database/records.ts';

const at = Date.UTC(2026, 10, 22, 1, 47, 3);
/** Ids that sort differently by their bytes (`B` before `a`) and in the collation of a language (`a` before `B`). */
const idOf = (prefix: string, n: number): string =>
  `${prefix}_${n % 2 ? 'a' : 'B'}${String(n).padStart(6, '0')}`;
const installationId = (n: number): string => idOf('ins', n);
const runId = (n: number): string => idOf('run', n);
const names = ['Acme', 'Ünïcode & Söhne', 'O\'Hara \\ "Quoted"', '東京 🗼', 'two\nlines\t', '', ' '];
const nameOf = (n: number): string => names[n % names.length] ?? '';
const refresh = { refresh_owner: null, refresh_until: null };
const error = { error_code: 'ratelimited', error_message: 'Slack answered ratelimited' };

/** One row of each table for the team with this number. The type requires an entry for every table. */
const rowOf: { [Name in keyof Tables]: (n: number) => Insertable<Tables[Name]> } = {
  installations: (n) => ({
    id: installationId(n),
    client_id: '1.2',
    tenant: `team:T${n}`,
    team_id: `T${n}`,
    team_name: nameOf(n),
    enterprise_id: n % 3 ? null : 'E1',
    enterprise_name: null,
    is_enterprise_install: 0,
    app_id: 'A1',
    status: n % 5 ? 'active' : 'broken',
    broken_reason: n % 5 ? null : 'token_revoked',
    life: 1 + (n % 3),
    version: 2_147_483_647,
    installer_user_id: `U${n}`,
    installed_at: at + n,
    slack_installed_at: null,
    uninstalled_at: null,
    bot_user_id: 'UBOT',
    bot_scopes: JSON.stringify(['chat:write']),
    bot_expires_at: 253_402_300_799_999,
    sealed_bot: `v1.main.${Buffer.from(`sealed ${n}`).toString('base64url')}`,
    ...refresh,
  }),
  user_tokens: (n) => ({
    installation_id: installationId(n),
    user_id: `U${n}`,
    version: 1,
    expires_at: null,
    sealed_user: `v1.main.${n}`,
    updated_at: at,
    ...refresh,
  }),
  teams: (n) => ({
    client_id: '1.2',
    team_id: `T${n}`,
    name: nameOf(n),
    domain: '',
    icon_url: null,
    enterprise_id: null,
    first_seen_at: at,
    updated_at: at,
  }),
  users: (n) => ({
    client_id: '1.2',
    team_id: `T${n}`,
    user_id: `U${n}`,
    name: nameOf(n),
    real_name: null,
    email: `u${n}@acme.example`,
    timezone: 'Europe/Vienna',
    locale: 'de-AT',
    avatar_url: null,
    first_seen_at: at,
    updated_at: at,
  }),
  memberships: (n) => ({
    client_id: '1.2',
    team_id: `T${n}`,
    user_id: `U${n}`,
    is_admin: n % 2,
    is_owner: 0,
    is_guest: 0,
    first_seen_at: at,
    last_seen_at: at,
    deactivated_at: null,
    updated_at: at,
  }),
  external_members: (n) => ({
    client_id: '1.2',
    team_id: `T${n}`,
    home_team_id: `T9${n}`,
    user_id: `U9${n}`,
    name: `guest-${n}`,
    real_name: null,
    email: null,
    timezone: null,
    locale: null,
    avatar_url: null,
    first_seen_at: at,
    last_seen_at: at,
    updated_at: at,
  }),
  team_access: (n) => ({
    client_id: '1.2',
    enterprise_id: 'E1',
    team_id: `T${n}`,
    granted: 1,
    changed_at: at,
  }),
  install_requests: (n) => ({
    id: idOf('req', n),
    client_id: '1.2',
    progress_hash: `hash-${n}`,
    outcome: 'installed',
    error_code: null,
    started_at: at,
    used_at: at,
    finished_at: at,
    requested_team_id: null,
    team_id: `T${n}`,
    team_name: nameOf(n),
    enterprise_id: null,
    user_id: `U${n}`,
    installation_id: installationId(n),
    run_id: runId(n),
    sealed_tokens: null,
  }),
  runs: (n) => ({
    id: runId(n),
    pipeline: 'install',
    installation_id: installationId(n),
    life: 1,
    user_id: `U${n}`,
    status: 'succeeded',
    created_at: at,
    started_at: at,
    finished_at: at,
    due_at: null,
    waiting_for: null,
    lease_owner: null,
    lease_until: null,
  }),
  steps: (n) => ({
    run_id: runId(n),
    name: 'fetch-profile',
    position: 2,
    status: 'succeeded',
    attempts: 1,
    failures: 0,
    output: JSON.stringify({ name: nameOf(n), nothing: null, zero: '\u0000' }),
    error_code: null,
    error_message: null,
    started_at: at,
    finished_at: at,
  }),
  step_attempts: (n) => ({
    run_id: runId(n),
    step_name: 'fetch-profile',
    attempt: 1 + (n % 3),
    outcome: 'retry',
    ...error,
    started_at: at,
    finished_at: null,
  }),
  welcomes: (n) => ({
    installation_id: installationId(n),
    life: 1,
    user_id: `U${n}`,
    run_id: runId(n),
    status: 'sent',
    channel_id: 'D1',
    message_ts: '1763776023.000100',
    attempted_at: at,
    search_before: '1.2',
    search_calls: 1,
    sent_at: at,
  }),
  questions: (n) => ({
    run_id: runId(n),
    step_name: 'fetch-profile',
    question_id: 'channel',
    question: '{"text":"Which channel?","input":{"type":"channel"}}',
    asked_at: at,
    remind_at: at,
    expires_at: null,
    answer: '"C1"',
    answered_by: `U${n}`,
    answered_at: at,
  }),
  posts: (n) => ({
    installation_id: installationId(n),
    life: 1,
    key: 'tips',
    run_id: runId(n),
    status: 'sent',
    channel_id: 'D1',
    message_ts: '1763776023.000200',
    attempted_at: at,
    search_before: '1.2',
    search_calls: 1,
    sent_at: at,
  }),
  history: (n) => ({
    id: idOf('his', n),
    installation_id: installationId(n),
    at,
    kind: 'installed',
    user_id: `U${n}`,
    detail: nameOf(n),
  }),
  home_views: (n) => ({
    installation_id: installationId(n),
    user_id: `U${n}`,
    opened_at: at,
    published_hash: 'f'.repeat(64),
    sending_hash: null,
  }),
  encryption_keys: (n) => ({ id: `key-${n}`, sealed_check: `v1.key-${n}.x`, created_at: at }),
  operator_notices: (n) => ({
    cause_id: runId(n),
    channel: 'mail',
    installation_id: installationId(n),
    kind: 'installed',
    user_id: null,
    detail: null,
    created_at: at,
    status: 'sent',
    attempts: 1,
    error_code: null,
    due_at: null,
    changed_at: at,
  }),
  chores: (n) => ({
    name: `chore ${n}`,
    begun_at: at,
    started_at: at,
    leased_until: null,
    machine: `web-${n} 1`,
    ended_at: at + 1,
    took_ms: n,
    outcome: 'failed',
    error_code: 'channel_not_found',
  }),
  ended_sessions: (n) => ({ id: `session-${n}`, lapses_at: at }),
  sessions: (n) => ({
    id: `session-${n}`,
    client_id: '1.2',
    kind: 'member',
    installation_id: installationId(n),
    life: 1,
    registered_team_id: `T${n}`,
    team_id: `T${n}`,
    enterprise_id: null,
    user_id: `U${n}`,
    slack_signed_at: at,
    began_at: at,
    seen_at: at,
    checked_at: null,
    browser: null,
    address: null,
  }),
  connections: (n) => ({
    id: idOf('con', n),
    installation_id: installationId(n),
    org: `org-${n}`,
    subject: n % 2 ? `user-${n}` : null,
    label: nameOf(n),
    data: JSON.stringify({ plan: nameOf(n) }),
    connected_at: at,
  }),
  used_links: (n) => ({
    client_id: '1.2',
    jti: `link-${n}`,
    installation_id: installationId(n),
    run_id: runId(n),
    org: `org-${n}`,
    progress_hash: `hash-${n}`,
    used_at: at,
  }),
  maintenance: (n) => ({ client_id: `${n}`, began_at: at }),
  unknown_teams: (n) => ({ client_id: '1.2', tenant: `team:T${n}`, first_seen_at: at, last_seen_at: at }),
  seen_deliveries: (n) => ({ client_id: '1.2', key: `event Ev${n}`, seen_at: at }),
  kept_counts: (n) => ({ client_id: '1.2', name: `count ${n}`, value: `{"active":${n}}`, counted_at: at }),
  key_holders: (n) => ({ process: `host ${n} x`, key_id: 'main', seen_at: at }),
};

/** The number of Foyer's tables. */
export const tableCount = Object.keys(rowOf).length;

/** Stores `count` rows in each table, for the teams from number `first` on. */
export async function fillEveryTable(database: Database, count: number, first = 0): Promise<void> {
  await database.write(async (transaction) => {
    for (const [name, row] of Object.entries(rowOf)) {
      for (let from = first; from < first + count; from += 500) {
        const length = Math.min(500, first + count - from);
        const rows = Array.from({ length }, (_, index) => row(from + index));
        await transaction
          .insertInto(name as keyof Tables)
          .values(rows)
          .execute();
      }
    }
  }, 20_000);
}

/** Everything that a database holds: the rows of each table as text, in an order that does not depend on the engine. */
export async function everythingIn(database: Database): Promise<Record<string, string[]>> {
  const held: Record<string, string[]> = {};
  for (const name of Object.keys(rowOf)) {
    const rows = await database.queries
      .selectFrom(name as keyof Tables)
      .selectAll()
      .execute();
    held[name] = rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
  }
  return held;
}
