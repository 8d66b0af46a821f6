import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseSetCookie } from 'cookie';
import type { Database } from '../../../src/database/database.ts';
import { createSealer } from '../../../src/installations/sealer.ts';
import {
  createOperatorSessions,
  isFormOf,
  sessionIdleMs,
  sessionLifetimeMs,
} from '../../../src/operator/pages/operator-session.ts';
import { createClock, keyringOf } from '../../support/installations.ts';
import { engines, openTestDatabase, type TestDatabase } from '../../support/open-test-database.ts';

const keyring = keyringOf('main');
let shared: TestDatabase;
before(async () => {
  shared = await openTestDatabase();
});
after(() => shared.close());

function sessionsOf(
  options: { password?: string; secure?: boolean; now?: () => number; database?: Database } = {},
) {
  const { password = 'a long password', secure = false, now = createClock().now } = options;
  const { database = shared.database } = options;
  const sealer = createSealer({ keyring, purpose: 'operator-session' });
  return createOperatorSessions({ sealer, password, database, secure, now });
}

/** What a browser sends back. */
function cookieOf(setCookie: string): string {
  return setCookie.split(';', 1)[0] ?? '';
}

describe('an operator’s session', () => {
  it('has a cookie that no script can read and that a form of another site does not send', () => {
    const plain = parseSetCookie(sessionsOf().begin());
    assert.equal(plain.name, 'foyer-operator');
    assert.deepEqual(
      [plain.httpOnly, plain.sameSite, plain.path, plain.secure, plain.maxAge],
      [true, 'lax', '/', undefined, 12 * 3600],
    );
    const secure = parseSetCookie(sessionsOf({ secure: true }).begin());
    assert.equal(secure.name, '__Host-foyer-operator');
    assert.deepEqual([secure.secure, secure.path, secure.domain], [true, '/', undefined]);
  });

  it('lasts twelve hours, however much it is used', async () => {
    const clock = createClock();
    const sessions = sessionsOf({ now: clock.now });
    let cookie = cookieOf(sessions.begin());
    for (let used = 0; used < sessionLifetimeMs - 10 * 60_000; used += 10 * 60_000) {
      clock.advance(10 * 60_000);
      const session = await sessions.read(cookie);
      assert.ok(session);
      const kept = parseSetCookie(sessions.keep(session) ?? '');
      assert.equal(kept.maxAge, (session.issuedAt + sessionLifetimeMs - clock.now()) / 1000);
      cookie = `${kept.name}=${kept.value}`;
    }
    clock.advance(10 * 60_000 - 1);
    assert.ok(await sessions.read(cookie));
    clock.advance(1);
    assert.equal(await sessions.read(cookie), undefined);
  });

  it('ends after thirty minutes of inactivity, and activity extends it', async () => {
    const clock = createClock();
    const sessions = sessionsOf({ now: clock.now });
    const cookie = cookieOf(sessions.begin());
    clock.advance(sessionIdleMs - 1);
    const session = await sessions.read(cookie);
    assert.ok(session);
    const kept = cookieOf(sessions.keep(session) ?? '');
    clock.advance(1);
    assert.equal(await sessions.read(cookie), undefined, 'the old cookie');
    const same = await sessions.read(kept);
    assert.deepEqual([same?.id, same?.csrfToken], [session.id, session.csrfToken]);
    assert.equal(same && sessions.keep(same), undefined, 'activity was recorded just now');
  });

  for (const [engine, open] of Object.entries(engines)) {
    it(`ends on every machine with a logout, although its cookie is still sent (${engine})`, async (t) => {
      const opened = await open();
      t.after(() => opened.close());
      const here = sessionsOf({ database: opened.database });
      const elsewhere = sessionsOf({ database: await opened.reopen() });
      const [cookie, other] = [cookieOf(here.begin()), cookieOf(here.begin())];
      const session = await elsewhere.read(cookie);
      assert.ok(session);
      assert.equal(parseSetCookie(await here.end(session)).maxAge, 0);
      await elsewhere.end(session);
      assert.equal(await here.read(cookie), undefined);
      assert.equal(await elsewhere.read(cookie), undefined);
      assert.ok(await elsewhere.read(other), 'another session of the same operator continues');
    });
  }

  it('is forgotten after a logout, once it has expired on every clock', async (t) => {
    const { database, close } = await openTestDatabase();
    t.after(close);
    const clock = createClock();
    const sessions = sessionsOf({ database, now: clock.now });
    const begun = await sessions.read(cookieOf(sessions.begin()));
    assert.ok(begun);
    await sessions.end(begun);
    const remembered = async (): Promise<number> => {
      const later = await sessions.read(cookieOf(sessions.begin()));
      assert.ok(later);
      await sessions.end(later);
      return (await database.queries.selectFrom('ended_sessions').select('id').execute()).length;
    };
    clock.advance(sessionLifetimeMs + 60_000);
    assert.equal(await remembered(), 2);
    clock.advance(3_600_000);
    assert.equal(await remembered(), 2);
  });

  it('ends when the password changes', async () => {
    const now = createClock().now;
    const cookie = cookieOf(sessionsOf({ now }).begin());
    assert.ok(await sessionsOf({ now }).read(cookie));
    assert.equal(await sessionsOf({ now, password: 'another password' }).read(cookie), undefined);
  });

  it('is refused if its cookie was changed, was made for something else, or is no cookie at all', async () => {
    const sessions = sessionsOf();
    const cookie = cookieOf(sessions.begin());
    const [name = '', value = ''] = cookie.split('=');
    const forState = createSealer({ keyring, purpose: 'state' }).seal('{}', 'operator-session');
    for (const other of [`${value.slice(0, -2)}AA`, forState, 'v1.main.x', '', 'x'.repeat(5000)]) {
      assert.equal(await sessions.read(`${name}=${other}`), undefined);
    }
    assert.equal(await sessions.read(undefined), undefined);
  });

  it('recognizes its own forms', async () => {
    const sessions = sessionsOf();
    const [one, other] = [
      await sessions.read(cookieOf(sessions.begin())),
      await sessions.read(cookieOf(sessions.begin())),
    ];
    assert.ok(one && other);
    assert.ok(isFormOf(one, new URLSearchParams({ csrf: one.csrfToken })));
    assert.ok(!isFormOf(one, new URLSearchParams({ csrf: other.csrfToken })));
    assert.ok(!isFormOf(one, new URLSearchParams()));
  });

  it('begins only with the exact password', () => {
    const sessions = sessionsOf({ password: 'a long password' });
    assert.ok(sessions.isPassword('a long password'));
    for (const wrong of ['', 'a long passwor', 'a long password ', 'A long password']) {
      assert.ok(!sessions.isPassword(wrong));
    }
  });
});
