import type { Insertable } from 'kysely';
import type { Database } from '../../../src/database/database.ts';
import type { InstallationStatus, Tables } from '../../../src/database/records.ts';

const hourMs = 3_600_000;
const sealed = `v1.main.${'x'.repeat(700)}`;

/** Adds the rows of `count` installations to every table that grows with the number of installations. */
export async function seedEverything(
  database: Database,
  seed: { clientId: string; count: number; now: number },
): Promise<void> {
  const { count, now } = seed;
  const client_id = seed.clientId;
  const numbers = Array.from({ length: count }, (_, index) => index);
  const at = (index: number): number => now - (count - index) * hourMs;
  const id = (index: number): string => `ins_${String(index).padStart(8, '0')}`;
  const runId = (index: number): string => `run_${String(index).padStart(8, '0')}`;
  const teamId = (index: number): string => `TSEED${index}`;
  const userId = (index: number): string => `USEED${index}`;
  const ended = (index: number) => ({ started_at: at(index), finished_at: at(index) + 900 });
  const noError = { error_code: null, error_message: null };
  const status = (index: number): InstallationStatus =>
    index % 50 === 7 ? 'broken' : index % 30 === 3 ? 'uninstalled' : 'active';

  async function fill<T extends keyof Tables & string>(
    table: T,
    row: (index: number) => Insertable<Tables[T]>,
  ): Promise<void> {
    for (let from = 0; from < count; from += 500) {
      const rows = numbers.slice(from, from + 500).map(row);
      await database.queries.insertInto(table).values(rows).execute();
    }
  }

  await fill('installations', (index) => ({
    id: id(index),
    client_id,
    tenant: `team:${teamId(index)}`,
    team_id: teamId(index),
    team_name: `Company ${index}`,
    enterprise_id: index % 10 === 0 ? `ESEED${index % 100}` : null,
    enterprise_name: null,
    is_enterprise_install: 0,
    app_id: 'A1',
    status: status(index),
    broken_reason: null,
    life: 1,
    version: 1,
    installer_user_id: userId(index),
    installed_at: at(index),
    slack_installed_at: null,
    uninstalled_at: null,
    bot_user_id: 'UBOT',
    bot_scopes: '["chat:write"]',
    bot_expires_at: index % 4 === 0 ? at(index) + 12 * hourMs : null,
    sealed_bot: sealed,
    refresh_owner: null,
    refresh_until: null,
  }));
  await fill('user_tokens', (index) => ({
    installation_id: id(index),
    user_id: userId(index),
    version: 1,
    expires_at: index % 4 === 0 ? at(index) + 12 * hourMs : null,
    sealed_user: sealed,
    updated_at: at(index),
    refresh_owner: null,
    refresh_until: null,
  }));
  const seen = (index: number) => ({ first_seen_at: at(index), updated_at: at(index) });
  const noProfile = { real_name: null, email: null, timezone: null, locale: null, avatar_url: null };
  await fill('teams', (index) => ({
    ...{ client_id, team_id: teamId(index), name: 'Company', domain: null, icon_url: null },
    ...{ enterprise_id: null, ...seen(index) },
  }));
  await fill('users', (index) => ({
    ...{
      client_id,
      team_id: teamId(index),
      user_id: userId(index),
      name: 'somebody',
      ...noProfile,
      ...seen(index),
    },
  }));
  await fill('memberships', (index) => ({
    ...{
      client_id,
      team_id: teamId(index),
      user_id: userId(index),
      is_admin: 0,
      is_owner: 0,
      ...seen(index),
    },
  }));
  await fill('team_access', (index) => ({
    ...{
      client_id,
      enterprise_id: `ESEED${index % 100}`,
      team_id: teamId(index),
      granted: 1,
      changed_at: at(index),
    },
  }));
  await fill('install_requests', (index) => ({
    ...{ id: `state${index}`, client_id, progress_hash: `hash${index}` },
    outcome: index % 9 === 0 ? ('failed' as const) : ('installed' as const),
    ...{ error_code: null, ...ended(index), started_at: at(index), used_at: at(index) },
    ...{ requested_team_id: null, team_id: teamId(index), team_name: 'Company', enterprise_id: null },
    ...{ user_id: userId(index), installation_id: id(index), run_id: runId(index), sealed_tokens: null },
  }));
  await fill('runs', (index) => ({
    pipeline: 'install' as const,
    ...{ id: runId(index), installation_id: id(index), life: 1, user_id: userId(index) },
    status: index % 20 === 0 ? ('failed' as const) : ('succeeded' as const),
    ...{ created_at: at(index), ...ended(index), due_at: null, waiting_for: null },
    ...{ lease_owner: null, lease_until: null },
  }));
  for (const [position, name] of [
    'register-team',
    'register-user',
    'fetch-profile',
    'send-welcome',
  ].entries()) {
    await fill('steps', (index) => ({
      ...{ run_id: runId(index), name, position, status: 'succeeded' as const, attempts: 1, failures: 0 },
      ...{ output: null, ...noError, ...ended(index) },
    }));
    await fill('step_attempts', (index) => ({
      ...{ run_id: runId(index), step_name: name, attempt: 1, outcome: 'succeeded' as const },
      ...{ ...noError, ...ended(index) },
    }));
  }
  await fill('welcomes', (index) => ({
    ...{
      installation_id: id(index),
      life: 1,
      user_id: userId(index),
      run_id: runId(index),
      status: 'sent' as const,
    },
    ...{ channel_id: 'D1', message_ts: '1.2', attempted_at: at(index), sent_at: at(index) },
    ...{ search_before: null, search_calls: 0 },
  }));
  await fill('history', (index) => ({
    ...{ id: `his_${index}`, installation_id: id(index), at: at(index), kind: 'installed' as const },
    ...{ user_id: userId(index), detail: null },
  }));
  await fill('home_views', (index) => ({
    ...{ installation_id: id(index), user_id: userId(index), opened_at: at(index) },
    ...{ published_hash: null, sending_hash: null },
  }));
  await fill('operator_notices', (index) => ({
    ...{
      cause_id: `his_${index}`,
      channel: 'mail' as const,
      installation_id: id(index),
      kind: 'uninstalled' as const,
    },
    ...{ user_id: null, detail: null, created_at: at(index), status: 'sent' as const, attempts: 1 },
    ...{ error_code: null, due_at: null, changed_at: at(index) },
  }));
  await fill('connections', (index) => ({
    id: `con_${String(index).padStart(8, '0')}`,
    installation_id: id(index),
    org: `org-${index}`,
    subject: `user-${index}`,
    label: null,
    data: null,
    connected_at: at(index),
  }));
  await fill('used_links', (index) => ({
    client_id,
    jti: `link-${index}`,
    installation_id: id(index),
    run_id: runId(index),
    org: `org-${index}`,
    progress_hash: null,
    used_at: at(index),
  }));
}
