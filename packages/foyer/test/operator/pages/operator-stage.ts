import type { Database } from '../../../src/database/database.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import type { InstallRequestRow } from '../../../src/database/records.ts';
import { createVisitor, finishedRun, install, type Visitor } from '../../../src/testing/visitor.ts';
import { type Stage, setStage } from '../../support/start-foyer.ts';
import { storeInstallation } from '../operator-harness.ts';

export const password = 'open sesame, please';

/**
 * A Foyer with operator pages, a second connection to its database, and functions that act as an operator's browser.
 */
export interface OperatorStage extends Omit<Stage, 'database'> {
  database: Database;
  /** Posts a form as a browser would from a Foyer page; `fields` override what the page would send. */
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
  get(path: string): Promise<Response>;
  logIn(): Promise<void>;
  /** Installs as a person of the sandbox, and waits until the run ends. Returns the installation's id. */
  installs(workspace: string, role?: 'owner' | 'admin' | 'member'): Promise<string>;
  visitor: Visitor;
}

/** Sets the stage; close it at the end. */
export async function setOperatorStage(options: Parameters<typeof setStage>[0] = {}): Promise<OperatorStage> {
  const stage = await setStage({
    ...options,
    environment: { OPERATOR_PASSWORD: password, ...options.environment },
  });
  const database = await openDatabase(stage.config.database);
  const visitor = createVisitor();
  let csrf = '';

  const get = (path: string) => visitor.get(stage.url + path);

  async function post(
    path: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ) {
    const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(stage.url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        connection: 'close',
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'same-origin',
        ...(cookie ? { cookie } : {}),
        ...headers,
      },
      body: new URLSearchParams({ csrf, ...fields }).toString(),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') visitor.cookies.delete(name);
      else visitor.cookies.set(name, value);
    }
    return response;
  }

  return {
    ...stage,
    database,
    visitor,
    get,
    post,
    async logIn() {
      const response = await post('/operator/login', { password, next: '/operator' });
      if (response.status !== 303) throw new Error(`the login answered ${response.status}`);
      csrf = csrfOf(await (await get('/operator')).text());
    },
    async installs(workspace, role = 'owner') {
      const { sandbox, url } = stage;
      const choice = {
        teamId: sandbox.workspace(workspace).id,
        userId: sandbox.person(workspace, role).id,
      };
      const guest = createVisitor();
      const done = await install(guest, url, sandbox, choice);
      await finishedRun(guest, url + (done.headers.get('location') ?? ''));
      const row = await database.queries
        .selectFrom('installations')
        .select('id')
        .where('team_id', '=', choice.teamId)
        .executeTakeFirstOrThrow();
      return row.id;
    },
    async close() {
      await database.close();
      await stage.close();
    },
  };
}

/** The CSRF token of the forms on a page. */
export function csrfOf(page: string): string {
  return /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
}

/** Stores many installations of the app `clientId`, newest first: two in each minute. */
export async function storeMany(database: Database, clientId: string, count: number): Promise<void> {
  const now = Date.UTC(2026, 5, 1);
  const first = await storeInstallation(database, { ...numbered(0, now), client_id: clientId });
  const rows = Array.from({ length: count - 1 }, (_, index) => ({ ...first, ...numbered(index + 1, now) }));
  for (let at = 0; at < rows.length; at += 500) {
    await database.queries
      .insertInto('installations')
      .values(rows.slice(at, at + 500))
      .execute();
  }
}

function numbered(index: number, now: number) {
  const number = String(index).padStart(5, '0');
  // Two installations share each minute, so that their order depends on the id too.
  const installed_at = now - Math.floor(index / 2) * 60_000;
  return {
    id: `ins_${number}`,
    tenant: `team:TMANY${number}`,
    team_id: `TMANY${number}`,
    team_name: `Company ${number}`,
    installed_at,
  };
}

/** Stores many install requests, each a minute older than the one before it; every third failed. */
export async function storeManyRequests(database: Database, clientId: string, count: number): Promise<void> {
  const now = Date.UTC(2026, 5, 1);
  const rows = Array.from({ length: count }, (_, index): InstallRequestRow => {
    const number = String(index).padStart(5, '0');
    const started_at = now - index * 60_000;
    const failed = index % 3 === 0;
    return {
      id: `req${number}`,
      client_id: clientId,
      progress_hash: `progress-hash-${number}`,
      outcome: failed ? 'failed' : 'installed',
      error_code: failed ? 'slack_unreachable' : null,
      started_at,
      used_at: started_at,
      finished_at: started_at + 800,
      requested_team_id: null,
      team_id: `TMANY${number}`,
      team_name: `Company ${number}`,
      enterprise_id: null,
      user_id: 'U1',
      installation_id: null,
      run_id: null,
      sealed_tokens: null,
    };
  });
  for (let at = 0; at < rows.length; at += 500) {
    await database.queries
      .insertInto('install_requests')
      .values(rows.slice(at, at + 500))
      .execute();
  }
}
