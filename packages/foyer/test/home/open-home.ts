import { createServer, type IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { parseConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import type { InstallationRow } from '../../src/database/records.ts';
import { createRun } from '../../src/database/runs.ts';
import { createPublishHome } from '../../src/home/create-publish-home.ts';
import type { BoundHomeSection } from '../../src/home/home-sections.ts';
import { createFindViewer } from '../../src/home/viewer.ts';
import { InstallationNotFoundError } from '../../src/installations/installation-store.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { engines } from '../support/open-test-database.ts';
import type { EngineName } from '../support/stage-database.ts';
import { brandOf, faces, texts } from '../support/test-face.ts';
import { installedAt, scopes } from './home-content.ts';

const manifest = JSON.stringify({
  display_information: { name: 'Foyer' },
  oauth_config: { scopes: { bot: scopes, bot_optional: ['users:read.email'] } },
});

/** A call that Slack received. */
export interface SlackCall {
  method: string;
  token: string;
  args: Record<string, string>;
}

/** What Slack answers: a body, or an HTTP status with its Retry-After. */
export type SlackAnswer = { body: Record<string, unknown> } | { status: number; retryAfter?: number };

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return Object.fromEntries(new URLSearchParams(text));
}

/** Starts the part of Slack that App Home needs. A test replaces `answer` to choose or delay the answers. */
async function startSlack() {
  const calls: SlackCall[] = [];
  const slack = {
    calls,
    url: '',
    of: (method: string) => calls.filter((call) => call.method === method),
    answer: async (_call: SlackCall): Promise<SlackAnswer> => ({ body: { ok: true } }),
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
  const server = createServer(async (request, response) => {
    const method = (request.url ?? '').split('/').at(-1) ?? '';
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    const call = { method, token, args: await bodyOf(request) };
    calls.push(call);
    const answer = await slack.answer(call);
    if ('status' in answer) {
      response.writeHead(
        answer.status,
        answer.retryAfter ? { 'retry-after': String(answer.retryAfter) } : {},
      );
      response.end();
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  slack.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/api/`;
  return slack;
}

/** Wraps the database and counts its writes. */
function counted(database: Database) {
  const asked = { writes: 0 };
  const counting: Database = {
    ...database,
    write(work, patienceMs) {
      asked.writes += 1;
      return database.write(work, patienceMs);
    },
  };
  return { asked, counting };
}

/**
 * Sets up App Home with a new database and a Slack server of its own. T1, installed by U1, and T2, installed by U2, are
 * stored.
 */
export async function openHome(
  options: { engine?: EngineName; sections?: readonly BoundHomeSection[] } = {},
) {
  const stage = await engines[options.engine ?? 'SQLite']();
  const { asked, counting: database } = counted(stage.database);
  const slack = await startSlack();
  const clock = { now: installedAt + 60_000 };
  const now = () => clock.now;
  const config = parseConfig(
    {
      SLACK_CLIENT_ID: 'client',
      SLACK_CLIENT_SECRET: 'client-secret',
      SLACK_SIGNING_SECRET: 'signing-secret',
      SLACK_API_URL: slack.url,
      PUBLIC_URL: 'https://foyer.test',
    },
    manifest,
  );
  const logged: string[] = [];
  const log = createLogger(
    { logLevel: 'error', secrets: [] },
    { pretty: false, destination: new PassThrough().on('data', (line) => void logged.push(String(line))) },
  );
  const botless = new Set<unknown>();
  const calls = {
    slack: createSlackClientFactory({ config, log }),
    async botToken(installation: unknown) {
      if (botless.has(installation)) throw new InstallationNotFoundError(String(installation), 'no_bot');
      return `token-of-${installation}`;
    },
  };
  const findViewer = createFindViewer({ database, ...calls, now, log });
  const waits: number[] = [];
  const wait = async (ms: number) => void waits.push(ms);
  const reported: { installationId: string; token: string }[] = [];
  const reportDeadToken = async ({ installationId, token }: { installationId: string; token: string }) =>
    reported.push({ installationId, token }) > 0;
  const deps = {
    database,
    ...calls,
    findViewer,
    reportDeadToken,
    config,
    brand: brandOf(),
    texts,
    faces,
    sections: options.sections,
    now,
    wait,
    log,
  };
  const home = createPublishHome(deps);
  const runIds = [await storeInstall(database, '1'), await storeInstall(database, '2')] as const;
  const elsewhere = await stage.reopen();

  return {
    ...home,
    /** Publishes App Home from another machine that uses the same database. */
    publishElsewhere: createPublishHome({
      ...deps,
      database: elsewhere,
      findViewer: createFindViewer({ database: elsewhere, ...calls, now, log }),
    }).publishHome,
    /** Counts this machine's writes to the database. */
    asked,
    /** The errors that this machine logged, each a line of JSON. */
    logged,
    /** A test adds an installation's id here to make its bot count as revoked. */
    botless,
    findViewer,
    database,
    slack,
    clock,
    waits,
    reported,
    runIds,
    async close() {
      await slack.close();
      await stage.close();
    },
    /** Changes an installation as another process would. */
    async change(id: string, values: Partial<Omit<InstallationRow, 'id' | 'client_id' | 'tenant'>>) {
      await elsewhere.queries.updateTable('installations').set(values).where('id', '=', id).execute();
    },
    person: (
      teamId: string,
      userId: string,
      isAdmin: boolean,
      updatedAt: number,
      email = `${userId}@x.test`,
    ) => storePerson(database, { teamId, userId, isAdmin, updatedAt, email }),
    shown: (userId: string) => slack.of('views.publish').filter((call) => call.args.user_id === userId),
  };
}

async function storeInstall(database: Database, digit: string): Promise<string> {
  return database.write(async (transaction) => {
    await transaction
      .insertInto('installations')
      .values({
        id: `ins_${digit}`,
        client_id: 'client',
        tenant: `team:T${digit}`,
        team_id: `T${digit}`,
        team_name: `Team ${digit}`,
        enterprise_id: null,
        enterprise_name: null,
        is_enterprise_install: 0,
        app_id: 'A1',
        status: 'active',
        broken_reason: null,
        life: 1,
        version: 1,
        installer_user_id: `U${digit}`,
        installed_at: installedAt,
        slack_installed_at: null,
        uninstalled_at: null,
        bot_user_id: 'UBOT',
        bot_scopes: JSON.stringify(scopes),
        bot_expires_at: null,
        sealed_bot: null,
        refresh_owner: null,
        refresh_until: null,
      })
      .execute();
    const run = { installationId: `ins_${digit}`, life: 1, userId: `U${digit}`, now: installedAt };
    return createRun(transaction, { ...run, stepNames: ['register-team', 'send-welcome'] });
  });
}

async function storePerson(
  database: Database,
  person: { teamId: string; userId: string; isAdmin: boolean; updatedAt: number; email: string },
): Promise<void> {
  const key = { client_id: 'client', team_id: person.teamId, user_id: person.userId };
  const times = { first_seen_at: person.updatedAt, updated_at: person.updatedAt };
  const blank = { name: null, timezone: null, locale: null, avatar_url: 'https://pictures.test/1.png' };
  await database.queries
    .insertInto('users')
    .values({ ...key, ...times, ...blank, real_name: person.userId, email: person.email })
    .execute();
  await database.queries
    .insertInto('memberships')
    .values({ ...key, ...times, is_admin: Number(person.isAdmin), is_owner: 0 })
    .execute();
}
