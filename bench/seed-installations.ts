import type { Database } from '../src/database/database.ts';
import type { InstallationRow } from '../src/database/records.ts';
import { createRun } from '../src/database/runs/create-run.ts';
import { steps } from '../src/pipeline/steps.ts';

/** What a seed makes: `count` teams of one app, each with its run, its history and its pass through OAuth. */
export interface Seed {
  clientId: string;
  count: number;
  now: number;
}

const stepNames = steps.map((step) => step.name);
const perTransaction = 1000;

/** Fills a database as `count` installs would have: nine in ten went well, the others failed, broke or left. */
export async function seedInstallations(database: Database, seed: Seed): Promise<void> {
  for (let from = 0; from < seed.count; from += perTransaction) {
    await database.write(async (transaction) => {
      for (let index = from; index < Math.min(from + perTransaction, seed.count); index += 1) {
        const row = installation(seed, index);
        const failed = index % 20 === 0;
        await transaction.insertInto('installations').values(row).execute();
        const made = {
          installationId: row.id,
          life: 1,
          userId: row.installer_user_id,
          stepNames,
          now: row.installed_at,
        };
        const runId = await createRun(transaction, made);
        const ended = { finished_at: row.installed_at + 400 };
        const status = failed ? ('failed' as const) : ('succeeded' as const);
        await transaction
          .updateTable('runs')
          .set({ ...ended, status, due_at: null })
          .where('id', '=', runId)
          .execute();
        await transaction
          .updateTable('steps')
          .set({ ...ended, status, attempts: 1 })
          .where('run_id', '=', runId)
          .execute();
        await transaction
          .insertInto('history')
          .values({
            id: `his_${index}`,
            installation_id: row.id,
            at: row.installed_at,
            kind: 'installed',
            user_id: row.installer_user_id,
            detail: null,
          })
          .execute();
        await transaction
          .insertInto('install_requests')
          .values(request(row, runId, index))
          .execute();
      }
    }, 60_000);
  }
}

function installation({ clientId, now, count }: Seed, index: number): InstallationRow {
  const teamId = `T${String(index).padStart(9, '0')}`;
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
    uninstalled_at: status === 'uninstalled' ? now : null,
    bot_user_id: 'U0BOT',
    bot_scopes: '["chat:write","im:write","im:history","users:read"]',
    bot_expires_at: null,
    sealed_bot: null,
    refresh_owner: null,
    refresh_until: null,
  };
}

function request(row: InstallationRow, runId: string, index: number) {
  return {
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
    run_id: runId,
    sealed_tokens: null,
  };
}
