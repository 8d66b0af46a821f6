import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import { appendHistory } from '../../src/database/history.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import type { InstallationRow, InstallRequestRow, StepStatus } from '../../src/database/records.ts';
import { createRun } from '../../src/database/runs.ts';
import { openExistingDatabase } from '../../src/operator/open-existing-database.ts';
import type { OperatorDeps } from '../../src/operator/operator-deps.ts';
import { type ExitCode, runOperatorCommand } from '../../src/operator/operator-program.ts';
import { createOutput } from '../../src/operator/terminal/output.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { createPostgresDatabase } from '../support/shared-postgres.ts';
import type { EngineName } from '../support/stage-database.ts';

/** 22 November 2026, 01:47:03 UTC: when everything in these tests happens. */
export const installedAt = Date.UTC(2026, 10, 22, 1, 47, 3);

export interface CommandEnd {
  exitCode: ExitCode;
  stdout: string;
  stderr: string;
}

export interface RunOptions extends Partial<OperatorDeps> {
  /** Makes stdout a terminal that shows colors. */
  terminal?: boolean;
}

/**
 * Makes a temporary folder with a SQLite database in it, or a Postgres database. Runs commands on that database, in
 * this process.
 */
export async function createOperatorHarness(
  t: TestContext,
  environment: Record<string, string> = {},
  engine: EngineName = 'SQLite',
) {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-operator-'));
  const file = join(folder, 'foyer.db');
  const postgres = engine === 'Postgres' ? await createPostgresDatabase() : undefined;
  const variables: Record<string, string> = {
    SLACK_CLIENT_ID: '1.2',
    SLACK_CLIENT_SECRET: 'client-secret-of-the-test',
    SLACK_SIGNING_SECRET: 'signing-secret-of-the-test',
    DATABASE_URL: postgres?.url ?? `file:${file}`,
    // Foyer makes a key file only beside a SQLite database.
    ...(postgres && { TOKEN_ENCRYPTION_KEYS: `main:${randomBytes(32).toString('base64')}` }),
    ...environment,
  };
  const config = parseConfig(variables, fixtureManifest);
  const database = await openDatabase(config.database);
  t.after(async () => {
    await database.close();
    await postgres?.drop();
    rmSync(folder, { recursive: true });
  });
  const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });

  return {
    folder,
    file,
    database,
    config,
    variables,
    async run(
      commandLine: readonly string[],
      { terminal = false, ...options }: RunOptions = {},
    ): Promise<CommandEnd> {
      const [stdout, stderr] = [collectText(terminal), collectText(terminal)];
      const deps: OperatorDeps = {
        output: createOutput({ stdout: stdout.stream, stderr: stderr.stream }),
        now: () => installedAt,
        readConfig: () => config,
        definition: { options: ['manifest'], install: ['register-team'], uninstall: [], jobs: [] },
        readPublicUrl: () => config.http.publicUrl,
        readSignsIn: () => config.signIn !== undefined,
        readManifest: () => fixtureManifest,
        basePath: '',
        openDatabase: openExistingDatabase,
        migrations: {},
        readEnvironment: () => variables,
        loadKeyring: unexpected('loadKeyring'),
        openStore: unexpected('openStore'),
        openTokens: async () => ({ renewExpired: async () => {} }),
        readPresentation: unexpected('readPresentation'),
        openImporter: unexpected('openImporter'),
        openEraser: unexpected('openEraser'),
        slackClients: async (given) => createSlackClientFactory({ config: given, log }),
        confirm: undefined,
        prompts: undefined,
        readStdin: unexpected('readStdin'),
        progress: () => {},
        folder,
        ...options,
      };
      const exitCode = await runOperatorCommand(deps, commandLine);
      return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
    },
  };
}

/** Tests a command on both engines: it must behave the same on each. */
export function testOnBothEngines(
  name: string,
  work: (t: TestContext, engine: EngineName) => Promise<void>,
): void {
  for (const engine of ['SQLite', 'Postgres'] as const) test(`${name} (${engine})`, (t) => work(t, engine));
}

/**
 * Makes a placeholder for a dependency: a command that uses it fails. A test replaces the dependencies that its command
 * needs.
 */
function unexpected(name: string) {
  return (): never => {
    throw new Error(`the command used ${name}`);
  };
}

function collectText(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, getColorDepth: () => 8 });
  const parts: string[] = [];
  stream.on('data', (part: Buffer) => parts.push(part.toString()));
  return { stream, text: () => parts.join('') };
}

/** Stores an installation; `changes` are columns of its row. */
export async function storeInstallation(
  database: Database,
  changes: Partial<InstallationRow> & { id: string },
): Promise<InstallationRow> {
  const teamId = changes.team_id === undefined ? 'T1' : changes.team_id;
  const row: InstallationRow = {
    client_id: '1.2',
    tenant: teamId ? `team:${teamId}` : `enterprise:${changes.enterprise_id}`,
    team_id: teamId,
    team_name: teamId && 'Acme',
    enterprise_id: null,
    enterprise_name: null,
    is_enterprise_install: teamId ? 0 : 1,
    app_id: 'A1',
    status: 'active',
    broken_reason: null,
    life: 1,
    version: 1,
    installer_user_id: 'U1',
    installed_at: installedAt,
    slack_installed_at: null,
    uninstalled_at: null,
    bot_user_id: 'UBOT',
    bot_scopes: JSON.stringify(['chat:write', 'im:write']),
    bot_expires_at: null,
    sealed_bot: null,
    refresh_owner: null,
    refresh_until: null,
    ...changes,
  };
  await database.queries.insertInto('installations').values(row).execute();
  return row;
}

/** Stores a run of an installation, with its steps in the given states. */
export async function storeRun(
  database: Database,
  installationId: string,
  steps: readonly { name: string; status: StepStatus; errors?: readonly string[] }[],
): Promise<string> {
  const stepNames = steps.map((step) => step.name);
  const newRun = { installationId, life: 1, userId: 'U1', stepNames, now: installedAt };
  const runId = await database.write((tx) => createRun(tx, newRun));
  for (const { name, status, errors = [] } of steps) {
    const last = errors.at(-1) ?? null;
    const error = { error_code: last, error_message: last && `Slack answered ${last}` };
    await database.queries
      .updateTable('steps')
      .set({ status, attempts: Math.max(errors.length, 1), ...error })
      .where('run_id', '=', runId)
      .where('name', '=', name)
      .execute();
    for (const [index, code] of errors.entries()) {
      await database.queries
        .insertInto('step_attempts')
        .values({
          run_id: runId,
          step_name: name,
          attempt: index + 1,
          outcome: index + 1 === errors.length ? 'failed' : 'retry',
          error_code: code,
          error_message: `Slack answered ${code}`,
          started_at: installedAt + index * 1000,
          finished_at: installedAt + index * 1000 + 340,
        })
        .execute();
    }
  }
  const failed = steps.some((step) => step.status === 'failed');
  await database.queries
    .updateTable('runs')
    .set({ status: failed ? 'failed' : 'succeeded', finished_at: installedAt + 5000, due_at: null })
    .where('id', '=', runId)
    .execute();
  return runId;
}

/** Stores a person of team T1, with a line of history. */
export async function storeUser(
  database: Database,
  user: { installationId: string; userId: string; realName: string; sealedToken?: string },
): Promise<void> {
  const { installationId, userId, realName, sealedToken } = user;
  const times = { first_seen_at: installedAt, updated_at: installedAt };
  const person = { client_id: '1.2', team_id: 'T1', user_id: userId, ...times };
  const profile = { timezone: 'Europe/Vienna', locale: 'de-AT', avatar_url: 'https://avatars.example/1.png' };
  await database.queries
    .insertInto('users')
    .values({ ...person, name: 'ada', real_name: realName, email: 'ada@acme.example', ...profile })
    .execute();
  await database.queries
    .insertInto('memberships')
    .values({ ...person, is_admin: 1, is_owner: 0 })
    .execute();
  const line = {
    installationId,
    at: installedAt,
    kind: 'installed' as const,
    userId,
    detail: 'first install',
  };
  await database.write((tx) => appendHistory(tx, line));
  if (sealedToken === undefined) return;
  const refresh = { refresh_owner: null, refresh_until: null, expires_at: null, version: 1 };
  await database.queries
    .insertInto('user_tokens')
    .values({
      installation_id: installationId,
      user_id: userId,
      sealed_user: sealedToken,
      updated_at: installedAt,
      ...refresh,
    })
    .execute();
}

/** Stores an install request that failed; `changes` are columns of its row. */
export async function storeRequest(
  database: Database,
  changes: Partial<InstallRequestRow> & { id: string },
): Promise<void> {
  const row: InstallRequestRow = {
    client_id: '1.2',
    progress_hash: `hash-of-${changes.id}`,
    outcome: 'failed',
    error_code: 'slack_unreachable',
    started_at: installedAt,
    used_at: installedAt,
    finished_at: installedAt + 900,
    requested_team_id: null,
    team_id: null,
    team_name: null,
    enterprise_id: null,
    user_id: null,
    installation_id: null,
    run_id: null,
    sealed_tokens: null,
    ...changes,
  };
  await database.queries.insertInto('install_requests').values(row).execute();
}
