import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSetCookie } from 'cookie';
import { createSealer } from '../../../src/installation-store/sealer.ts';
import {
  createOperatorSessions,
  isFormOf,
  sessionLifetimeMs,
} from '../../../src/operator/pages/operator-session.ts';
import { createClock, keyringOf } from '../../support/installations.ts';

const keyring = keyringOf('main');

function sessionsOf(options: { password?: string; secure?: boolean; now?: () => number } = {}) {
  const { password = 'a long password', secure = false, now = createClock().now } = options;
  const sealer = createSealer({ keyring, purpose: 'operator-session' });
  return createOperatorSessions({ sealer, password, secure, now });
}

/** What a browser sends back. */
function cookieOf(setCookie: string): string {
  return setCookie.split(';', 1)[0] ?? '';
}

describe('an operator’s session', () => {
  it('has a cookie that no script reads and no other site sends along with a form', () => {
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

  it('lasts twelve hours', () => {
    const clock = createClock();
    const sessions = sessionsOf({ now: clock.now });
    const cookie = cookieOf(sessions.begin());
    clock.advance(sessionLifetimeMs - 1);
    assert.ok(sessions.read(cookie));
    clock.advance(1);
    assert.equal(sessions.read(cookie), undefined);
  });

  it('ends with a logout, although its cookie is still there', () => {
    const sessions = sessionsOf();
    const cookie = cookieOf(sessions.begin());
    const session = sessions.read(cookie);
    assert.ok(session);
    assert.equal(parseSetCookie(sessions.end(session)).maxAge, 0);
    assert.equal(sessions.read(cookie), undefined);
  });

  it('ends when the password is another one', () => {
    const now = createClock().now;
    const cookie = cookieOf(sessionsOf({ now }).begin());
    assert.ok(sessionsOf({ now }).read(cookie));
    assert.equal(sessionsOf({ now, password: 'another password' }).read(cookie), undefined);
  });

  it('is none when its cookie was changed, made for something else, or is no cookie at all', () => {
    const sessions = sessionsOf();
    const cookie = cookieOf(sessions.begin());
    const [name = '', value = ''] = cookie.split('=');
    const forState = createSealer({ keyring, purpose: 'state' }).seal('{}', 'operator-session');
    for (const other of [`${value.slice(0, -2)}AA`, forState, 'v1.main.x', '', 'x'.repeat(5000)]) {
      assert.equal(sessions.read(`${name}=${other}`), undefined);
    }
    assert.equal(sessions.read(undefined), undefined);
  });

  it('knows its own forms', () => {
    const sessions = sessionsOf();
    const [one, other] = [
      sessions.read(cookieOf(sessions.begin())),
      sessions.read(cookieOf(sessions.begin())),
    ];
    assert.ok(one && other);
    assert.ok(isFormOf(one, new URLSearchParams({ csrf: one.csrfToken })));
    assert.ok(!isFormOf(one, new URLSearchParams({ csrf: other.csrfToken })));
    assert.ok(!isFormOf(one, new URLSearchParams()));
  });

  it('begins with the password alone', () => {
    const sessions = sessionsOf({ password: 'a long password' });
    assert.ok(sessions.isPassword('a long password'));
    for (const wrong of ['', 'a long passwor', 'a long password ', 'A long password']) {
      assert.ok(!sessions.isPassword(wrong));
    }
  });
});
