import type { Insertable } from 'kysely';
import type { Database } from '../packages/foyer/src/database/database.ts';
import type {
  HistoryRow,
  InstallationRow,
  RunRow,
  StepRow,
  Tables,
} from '../packages/foyer/src/database/records.ts';
import { builtInSteps } from '../packages/foyer/src/steps/steps.ts';

/**
 * What a seed creates: `count` teams of one app. Each team has a run, a welcome, an installer, a history and an install
 * request. The first team is large, because one installer in twenty is also a member of it.
 */
export interface Seed {
  clientId: string;
  count: number;
  now: number;
}

const stepNames = builtInSteps().map((step) => step.name);
/**
 * This text is as long as a real sealed token. So a query that has to read whole rows, and not only an index, is as
 * slow as in production.
 */
const sealedText = `v1.bench.${'x'.repeat(700)}`;
const perTransaction = 5000;
/** Few enough rows that one statement stays below the parameter limit of either engine. */
const perStatement = 500;

/**
 * Fills a database with the rows that `count` installs would leave. About nine in ten installs succeed. The others
 * fail, wait, break or are uninstalled. Each statement writes many rows, because a million installs are more than ten
 * million rows.
 */
export async function seedInstallations(database: Database, seed: Seed): Promise<void> {
  for (let from = 0; from < seed.count; from += perTransaction) {
    const numbers = Array.from({ length: Math.min(perTransaction, seed.count - from) }, (_, at) => from + at);
    await database.write(async (transaction) => {
      const rows = numbers.map((index) => installation(seed, index));
      const fill = async <Table extends keyof Tables & string>(
        table: Table,
        made: readonly Insertable<Tables[Table]>[],
      ) => {
        for (let at = 0; at < made.length; at += perStatement) {
          const some = made.slice(at, at + perStatement);
          await transaction.insertInto(table).values(some).execute();
        }
      };
      await fill('installations', rows);
      await fill(
        'runs',
        rows.map((row, at) => run(row, from + at)),
      );
      await fill(
        'steps',
        rows.flatMap((row, at) => stepsOf(row, from + at)),
      );
      await fill(
        'history',
        rows.map((row, at) => line(row, from + at)),
      );
      await fill(
        'welcomes',
        rows.map((row, at) => welcome(row, from + at)),
      );
      await fill(
        'users',
        rows.flatMap((row, at) => peopleOf(row, from + at)).map((row) => person(row)),
      );
      await fill(
        'memberships',
        rows.flatMap((row, at) => peopleOf(row, from + at)).map((row) => membership(row)),
      );
      await fill(
        'install_requests',
        rows.flatMap((row, at) => requestsOf(row, from + at)),
      );
    }, 60_000);
  }
}

const teamIdOf = (index: number): string => `T${String(index).padStart(9, '0')}`;
const runIdOf = (index: number): string => `run_${String(index).padStart(9, '0')}`;

function statusOf(index: number) {
  if (index % 20 === 0) return 'failed';
  // A waiting run has asked the installer a question.
  return index % 100 === 11 ? 'waiting' : 'succeeded';
}

function run(row: InstallationRow, index: number): RunRow {
  return {
    id: runIdOf(index),
    pipeline: 'install',
    installation_id: row.id,
    life: 1,
    user_id: row.installer_user_id,
    status: statusOf(index),
    created_at: row.installed_at,
    started_at: row.installed_at,
    finished_at: statusOf(index) === 'waiting' ? null : row.installed_at + 400,
    due_at: null,
    waiting_for: statusOf(index) === 'waiting' ? 'answer' : null,
    lease_owner: null,
    lease_until: null,
    moment: null,
  };
}

function stepsOf(row: InstallationRow, index: number): StepRow[] {
  return stepNames.map((name, position) => ({
    run_id: runIdOf(index),
    name,
    position,
    status: statusOf(index) === 'failed' ? 'failed' : 'succeeded',
    attempts: 1,
    failures: 0,
    output: null,
    error_code: null,
    error_message: null,
    started_at: row.installed_at,
    finished_at: row.installed_at + 400,
  }));
}

function welcome(row: InstallationRow, index: number): Insertable<Tables['welcomes']> {
  return {
    installation_id: row.id,
    life: 1,
    user_id: row.installer_user_id,
    run_id: runIdOf(index),
    // Foyer got no answer from Slack to a few of the welcomes.
    status: index % 5000 === 9 ? 'unconfirmed' : 'sent',
    channel_id: 'D0BENCH',
    message_ts: '1.2',
    attempted_at: row.installed_at + 300,
    sent_at: index % 5000 === 9 ? null : row.installed_at + 350,
    search_before: null,
    search_calls: 0,
  };
}

/**
 * Returns a row that makes the installer a member of their own team. Makes one installer in twenty also a member of the
 * first team, so that the first team has many members.
 */
function peopleOf(row: InstallationRow, index: number): InstallationRow[] {
  return index % 20 === 1 ? [row, { ...row, team_id: teamIdOf(0) }] : [row];
}

const idsOf = (row: InstallationRow) => ({
  client_id: row.client_id,
  team_id: row.team_id ?? '',
  user_id: row.installer_user_id,
  first_seen_at: row.installed_at,
  updated_at: row.installed_at,
});

function person(row: InstallationRow): Insertable<Tables['users']> {
  return {
    ...idsOf(row),
    name: row.installer_user_id.toLowerCase(),
    real_name: `Person ${row.installer_user_id}`,
    email: `${row.installer_user_id}@example.com`,
    timezone: 'Europe/Berlin',
    locale: 'en-US',
    avatar_url: null,
  };
}

function membership(row: InstallationRow): Insertable<Tables['memberships']> {
  return { ...idsOf(row), is_admin: 1, is_owner: 0 };
}

function line(row: InstallationRow, index: number): HistoryRow {
  return {
    id: `his_${String(index).padStart(9, '0')}`,
    installation_id: row.id,
    at: row.installed_at,
    kind: 'installed',
    user_id: row.installer_user_id,
    detail: null,
  };
}

function installation({ clientId, now, count }: Seed, index: number): InstallationRow {
  const teamId = teamIdOf(index);
  const status = index % 50 === 7 ? 'broken' : index % 30 === 3 ? 'uninstalled' : 'active';
  return {
    id: `ins_${String(index).padStart(9, '0')}`,
    client_id: clientId,
    tenant: `team:${teamId}`,
    team_id: teamId,
    team_name: `Team ${index} of ${['Acme', 'Globex', 'Initech'][index % 3]}`,
    enterprise_id: null,
    enterprise_name: null,
    is_enterprise_install: 0,
    app_id: 'A0BENCH',
    status,
    broken_reason: status === 'broken' ? 'account_inactive' : null,
    life: 1,
    version: 1,
    installer_user_id: `U${String(index).padStart(9, '0')}`,
    installed_at: now - (count - index) * 1000,
    slack_installed_at: null,
    uninstalled_at: status === 'uninstalled' ? now : null,
    bot_user_id: 'U0BOT',
    bot_scopes: '["chat:write","im:write","im:history","users:read"]',
    // A third of the installations have a token that expires, and a few of these tokens have expired without a refresh.
    bot_expires_at: index % 3 === 0 ? now + (index % 3000 === 0 ? -1 : 6) * 3_600_000 : null,
    sealed_bot: sealedText,
    refresh_owner: null,
    refresh_until: null,
  };
}

/** The request that installed the app and, for some teams, an earlier request that was refused or failed. */
function requestsOf(row: InstallationRow, index: number): Insertable<Tables['install_requests']>[] {
  const installed = {
    id: `request-${index}`,
    client_id: row.client_id,
    progress_hash: `hash-${index}`,
    outcome: 'installed' as const,
    error_code: null,
    started_at: row.installed_at,
    used_at: row.installed_at,
    finished_at: row.installed_at + 200,
    requested_team_id: null,
    team_id: row.team_id,
    team_name: row.team_name,
    enterprise_id: null,
    user_id: row.installer_user_id,
    installation_id: row.id,
    run_id: runIdOf(index),
    sealed_tokens: null,
  };
  if (index % 25 !== 5) return [installed];
  const outcome = index % 100 === 5 ? ('refused' as const) : ('failed' as const);
  const earlier = { id: `request-${index}-earlier`, progress_hash: `hash-${index}-earlier`, outcome };
  const reason = outcome === 'refused' ? 'gate_refused' : 'slack_unreachable';
  return [{ ...installed, ...earlier, error_code: reason, installation_id: null, run_id: null }, installed];
}
