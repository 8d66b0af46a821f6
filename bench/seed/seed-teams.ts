import type { Database } from '../../packages/foyer/src/database/database.ts';
import type { RunRow, StepRow } from '../../packages/foyer/src/database/records.ts';
import type { Keyring } from '../../packages/foyer/src/installations/keyring.ts';
import {
  createTokenCipher,
  type TokenCipher,
} from '../../packages/foyer/src/installations/open-installation.ts';
import { builtInSteps } from '../../packages/foyer/src/steps/steps.ts';
import { app, installerIdOf, teamIdOf } from '../load/signed-events.ts';
import { botScopes, installationOf } from './bench-installation.ts';

/** Which teams to create, and the status of their runs; without `runs`, they have no run. */
export interface Teams {
  first: number;
  count: number;
  runs?: RunState;
  /** The steps of the runs; by default those of the pipeline. */
  stepNames?: readonly string[];
}

type RunState = 'queued' | 'waiting' | 'succeeded';

/**
 * Foyer's id for the installation of the team with this number. Like real ids, these sort in the order of the installs.
 */
export const installationIdOf = (number: number): string => `ins_${String(number).padStart(26, '0')}`;

export const numberOfTeam = (teamId: string): number => Number(teamId.slice(1));

/** Few enough rows that one statement stays below the parameter limit of either engine. */
const perStatement = 200;
const perTransaction = 10_000;

/**
 * Writes the rows that `teams.count` installs would leave, with sealed tokens. Each statement writes many rows, because
 * writing a million teams through Foyer's store would take an hour.
 */
export async function seedTeams(database: Database, keyring: Keyring, teams: Teams): Promise<void> {
  const cipher = createTokenCipher({ keyring });
  const now = Date.now();
  const numbers = Array.from({ length: teams.count }, (_, index) => teams.first + index);
  for (const transactionful of chunksOf(numbers, perTransaction)) {
    await database.write(async (transaction) => {
      for (const chunk of chunksOf(transactionful, perStatement)) {
        await transaction
          .insertInto('installations')
          .values(chunk.map((number) => installationRow(number, cipher, now)))
          .execute();
        const { runs, stepNames = builtInSteps().map((step) => step.name) } = teams;
        if (!runs) continue;
        await transaction
          .insertInto('runs')
          .values(chunk.map((number) => runRow(number, runs, now)))
          .execute();
        await transaction
          .insertInto('steps')
          .values(chunk.flatMap((number) => stepRows(number, stepNames, runs, now)))
          .execute();
      }
    }, 60_000);
  }
}

function* chunksOf(numbers: readonly number[], size: number): Generator<readonly number[]> {
  for (let from = 0; from < numbers.length; from += size) yield numbers.slice(from, from + size);
}

/** The row of the team with this number, with a sealed token. */
export function installationRow(number: number, cipher: TokenCipher, now: number) {
  const { user, ...botHalf } = installationOf(number);
  const id = installationIdOf(number);
  return {
    id,
    client_id: app.clientId,
    tenant: `team:${teamIdOf(number)}`,
    team_id: teamIdOf(number),
    team_name: botHalf.team.name ?? null,
    enterprise_id: null,
    enterprise_name: null,
    is_enterprise_install: 0,
    app_id: app.id,
    status: 'active' as const,
    broken_reason: null,
    life: 1,
    version: 1,
    installer_user_id: user.id,
    installed_at: now,
    slack_installed_at: null,
    uninstalled_at: null,
    bot_user_id: app.botUserId,
    bot_scopes: JSON.stringify(botScopes),
    bot_expires_at: null,
    sealed_bot: cipher.sealBot(id, botHalf),
    refresh_owner: null,
    refresh_until: null,
  };
}

const runIdOf = (number: number): string => `run_${String(number).padStart(26, '0')}`;
/**
 * How long each run waits if it waits for a time. Longer than any measurement, so that none of these runs becomes due.
 */
const waitsMs = 24 * 60 * 60_000;

function runRow(number: number, status: RunState, now: number): RunRow {
  const waiting = status === 'waiting';
  // Half of the waiting runs wait for a time, the others for an event.
  const waitsForEvent = waiting && number % 2 === 0;
  return {
    id: runIdOf(number),
    pipeline: 'install',
    installation_id: installationIdOf(number),
    life: 1,
    user_id: installerIdOf(number),
    status,
    created_at: now,
    started_at: status === 'queued' ? null : now,
    finished_at: status === 'succeeded' ? now : null,
    due_at: status === 'succeeded' || waitsForEvent ? null : now + (waiting ? waitsMs : 0),
    waiting_for: waitsForEvent ? 'team_access_granted' : null,
    lease_owner: null,
    lease_until: null,
    moment: null,
  };
}

function stepRows(number: number, stepNames: readonly string[], run: RunState, now: number): StepRow[] {
  const done = run === 'succeeded';
  return stepNames.map((name, position) => ({
    run_id: runIdOf(number),
    name,
    position,
    status: done ? ('succeeded' as const) : ('pending' as const),
    attempts: done ? 1 : 0,
    failures: 0,
    output: null,
    error_code: null,
    error_message: null,
    started_at: done ? now : null,
    finished_at: done ? now : null,
  }));
}
