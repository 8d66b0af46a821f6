import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseSetCookie } from 'cookie';
import type { Database } from '../../../src/database/database.ts';
import { createSealer } from '../../../src/installations/sealer.ts';
import { createOperatorSessions, isFormOf } from '../../../src/operator/pages/operator-session.ts';
import { createSessions, operatorTimes } from '../../../src/signin/sessions.ts';
import { createClock, keyringOf } from '../../support/installations.ts';
import { engines, openTestDatabase, type TestDatabase } from '../../support/open-test-database.ts';

const keyring = keyringOf('main');
const { lifetimeMs, idleMs } = operatorTimes;
let shared: TestDatabase;
before(async () => {
  shared = await openTestDatabase();
});
after(() => shared.close());

interface Options {
  password?: string;
  people?: string[];
  secure?: boolean;
  now?: () => number;
  database?: Database;
}

function sessionsOf(options: Options = {}) {
  const { password = 'a long password', people = [], secure = false, now = createClock().now } = options;
  const { database = shared.database } = options;
  const sealer = createSealer({ keyring, purpose: 'operator-session' });
  const about = { clientId: '1.2', cookieName: 'foyer-operator', times: operatorTimes };
  const sessions = createSessions({ kind: 'operator', ...about, sealer, database, secure, now });
  return createOperatorSessions({ sessions, sealer, password, people, database, secure, now });
}

const visit = { cookieHeader: undefined, browser: 'Firefox', address: '192.0.2.1' };

/** Logs in with the password, and returns the cookie that the browser sends back. */
async function begun(sessions: ReturnType<typeof sessionsOf>): Promise<string> {
  return cookieOf(await sessions.begin(visit));
}

/** The cookie as a browser sends it back. */
function cookieOf(setCookie: string): string {
  return setCookie.split(';', 1)[0] ?? '';
}

describe('an operator’s session', () => {
  it('an operator’s session cookie cannot be read by a script, and is not sent with a form of another site', async () => {
    const plain = parseSetCookie(await sessionsOf().begin(visit));
    assert.equal(plain.name, 'foyer-operator');
    assert.deepEqual(
      [plain.httpOnly, plain.sameSite, plain.path, plain.secure, plain.maxAge],
      [true, 'lax', '/', undefined, 12 * 3600],
    );
    const secure = parseSetCookie(await sessionsOf({ secure: true }).begin(visit));
    assert.equal(secure.name, '__Host-foyer-operator');
    assert.deepEqual([secure.secure, secure.path, secure.domain], [true, '/', undefined]);
  });

  it('an operator’s session lasts at most twelve hours, even if it is in use', async () => {
    const clock = createClock();
    const sessions = sessionsOf({ now: clock.now });
    const cookie = await begun(sessions);
    for (let used = 0; used < lifetimeMs - 10 * 60_000; used += 10 * 60_000) {
      clock.advance(10 * 60_000);
      assert.ok(await sessions.read(cookie));
    }
    clock.advance(10 * 60_000 - 1);
    assert.ok(await sessions.read(cookie));
    clock.advance(1);
    assert.equal(await sessions.read(cookie), undefined);
  });

  it('an operator’s session ends after thirty minutes of inactivity, and activity extends it', async () => {
    const clock = createClock();
    const sessions = sessionsOf({ now: clock.now });
    const [used, unused] = [await begun(sessions), await begun(sessions)];
    clock.advance(idleMs - 1);
    const session = await sessions.read(used);
    assert.ok(session);
    clock.advance(1);
    assert.equal(await sessions.read(unused), undefined);
    const same = await sessions.read(used);
    assert.deepEqual([same?.id, same?.csrfToken], [session.id, session.csrfToken]);
  });

  it('Foyer remembers an operator’s browser for 90 days, or until the password changes', async () => {
    const clock = createClock();
    const sessions = sessionsOf({ now: clock.now });
    const cookie = cookieOf(sessions.rememberBrowser());
    assert.ok(sessions.knownBrowser(cookie));
    const changed = sessionsOf({ now: clock.now, password: 'another long password' });
    assert.equal(changed.knownBrowser(cookie), undefined);
    clock.advance(90 * 24 * 3_600_000 - 1);
    assert.ok(sessions.knownBrowser(cookie));
    clock.advance(1);
    assert.equal(sessions.knownBrowser(cookie), undefined);
  });

  it('an operator’s new login sets a new cookie, and ends the browser’s earlier session', async () => {
    const sessions = sessionsOf();
    const before = await begun(sessions);
    const after = cookieOf(await sessions.begin({ ...visit, cookieHeader: before }));
    assert.notEqual(before, after);
    assert.equal(await sessions.read(before), undefined);
    assert.ok(await sessions.read(after));
  });

  for (const [engine, open] of Object.entries(engines)) {
    it(`an operator’s logout ends the session on every machine, even if the cookie is still sent (${engine})`, async (t) => {
      const opened = await open();
      t.after(() => opened.close());
      const here = sessionsOf({ database: opened.database });
      const elsewhere = sessionsOf({ database: await opened.reopen() });
      const [cookie, other] = [await begun(here), await begun(here)];
      assert.ok(await elsewhere.read(cookie));
      assert.equal(parseSetCookie(await here.end(cookie)).maxAge, 0);
      await elsewhere.end(cookie);
      assert.equal(await here.read(cookie), undefined);
      assert.equal(await elsewhere.read(cookie), undefined);
      assert.ok(await elsewhere.read(other), 'another session of the same operator continues');
    });
  }

  it('Foyer deletes the row of an operator’s session only some time after the session has expired, since clocks may be wrong', async (t) => {
    const { database, close } = await openTestDatabase();
    t.after(close);
    const clock = createClock();
    const sessions = sessionsOf({ database, now: clock.now });
    const rows = async () => (await database.queries.selectFrom('sessions').select('id').execute()).length;
    await begun(sessions);
    clock.advance(lifetimeMs + 60_000);
    await begun(sessions);
    assert.equal(await rows(), 2);
    clock.advance(3_600_000);
    await begun(sessions);
    assert.equal(await rows(), 2);
  });

  it('an operator’s session ends when the password changes', async () => {
    const now = createClock().now;
    const cookie = await begun(sessionsOf({ now }));
    assert.ok(await sessionsOf({ now }).read(cookie));
    assert.equal(await sessionsOf({ now, password: 'another password' }).read(cookie), undefined);
  });

  it('an operator’s session cookie is refused if it was changed, was made for another purpose, or is malformed or missing', async () => {
    const sessions = sessionsOf();
    const cookie = await begun(sessions);
    const [name = '', value = ''] = cookie.split('=');
    const forState = createSealer({ keyring, purpose: 'state' }).seal('{}', 'session:operator');
    for (const other of [`${value.slice(0, -2)}AA`, forState, 'v1.main.x', '', 'x'.repeat(5000)]) {
      assert.equal(await sessions.read(`${name}=${other}`), undefined);
    }
    assert.equal(await sessions.read(undefined), undefined);
  });

  it('an operator’s form is accepted only with the CSRF token of the operator’s own session', async () => {
    const sessions = sessionsOf();
    const [one, other] = [
      await sessions.read(await begun(sessions)),
      await sessions.read(await begun(sessions)),
    ];
    assert.ok(one && other);
    assert.ok(isFormOf(one, new URLSearchParams({ csrf: one.csrfToken })));
    assert.ok(!isFormOf(one, new URLSearchParams({ csrf: other.csrfToken })));
    assert.ok(!isFormOf(one, new URLSearchParams()));
  });

  it('only the exact operator password is accepted', () => {
    const sessions = sessionsOf({ password: 'a long password' });
    assert.ok(sessions.isPassword('a long password'));
    for (const wrong of ['', 'a long passwor', 'a long password ', 'A long password']) {
      assert.ok(!sessions.isPassword(wrong));
    }
  });
});
