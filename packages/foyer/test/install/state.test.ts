import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSetCookie } from 'cookie';
import fc from 'fast-check';
import { createStates, stateLifetimeMs } from '../../src/install/state.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { createSealer } from '../../src/installations/sealer.ts';

const keys = [{ id: 'main', base64: Buffer.alloc(32, 3).toString('base64') }];

function statesAt(clock: { now: number }, options: { secure?: boolean; keys?: typeof keys } = {}) {
  const keyring = createKeyring(options.keys ?? keys);
  const sealer = createSealer({ keyring, purpose: 'state' });
  return createStates({ sealer, secure: options.secure ?? false, now: () => clock.now });
}

/** The Cookie header that a browser sends back after these Set-Cookie lines. */
const cookieHeader = (...lines: (string | undefined)[]): string =>
  lines.map((line) => line?.split(';')[0]).join('; ');

describe('an OAuth state', () => {
  const clock = { now: 1_800_000_000_000 };
  const states = statesAt(clock);

  it('an OAuth state is accepted from the browser that started the install, with its content intact', () => {
    const { state, cookies } = states.issue({ teamId: 'T1' }, undefined);
    const verdict = states.judge(state, cookieHeader(cookies[0]));
    assert.ok(verdict.ok);
    assert.equal(verdict.content.teamId, 'T1');
    assert.match(verdict.content.progressToken, /^[A-Za-z0-9_-]{32}$/);
  });

  it('two tabs of one browser that start an install at the same time can both finish', () => {
    const [one, two] = [states.issue({}, undefined), states.issue({}, undefined)];
    const both = cookieHeader(one.cookies[0], two.cookies[0]);
    assert.ok(states.judge(one.state, both).ok);
    assert.ok(states.judge(two.state, both).ok);
  });

  it('an OAuth state is refused from another browser, even one that has a state of its own', () => {
    const [mine, other] = [states.issue({}, undefined), states.issue({}, undefined)];
    for (const header of [undefined, '', cookieHeader(other.cookies[0])]) {
      const verdict = states.judge(mine.state, header);
      assert.deepEqual([verdict.ok, !verdict.ok && verdict.fault], [false, 'state_wrong_browser']);
      assert.match(verdict.content?.id ?? '', /^[\w-]{22}$/, 'the page and the log can name its request');
    }
    const name = mine.cookies[0]?.split('=')[0];
    const stolen = `${name}=${other.cookies[0]?.split(/[=;]/)[1]}`;
    assert.equal(states.judge(mine.state, stolen).ok, false);
  });

  it('an OAuth state expires after ten minutes, and not before', () => {
    const { state, cookies } = states.issue({}, undefined);
    const later = (ms: number) => statesAt({ now: clock.now + ms }).judge(state, cookieHeader(cookies[0]));
    assert.ok(later(stateLifetimeMs).ok);
    const late = later(stateLifetimeMs + 1);
    assert.ok(!late.ok && late.fault === 'state_expired');
  });

  it('an OAuth state is accepted if the machine’s clock runs thirty seconds behind, but not if it runs an hour behind', () => {
    const { state, cookies } = states.issue({}, undefined);
    const earlier = (ms: number) =>
      statesAt({ now: clock.now - ms }).judge(state, cookieHeader(cookies[0])).ok;
    assert.deepEqual([earlier(30_000), earlier(3_600_000)], [true, false]);
  });

  it('an OAuth state is accepted by a replica that has its key, even after a key rotation, but not by a replica without it', () => {
    const { state, cookies } = states.issue({}, undefined);
    const next = { id: 'next', base64: Buffer.alloc(32, 4).toString('base64') };
    const rotated = statesAt(clock, { keys: [next, ...keys] });
    assert.ok(rotated.judge(state, cookieHeader(cookies[0])).ok);
    const stranger = statesAt(clock, { keys: [{ ...next, id: 'main' }] });
    assert.deepEqual(stranger.judge(state, cookieHeader(cookies[0])), { ok: false, fault: 'state_invalid' });
  });

  it('an OAuth state is refused if a single character is changed', () => {
    const { state, cookies } = states.issue({}, undefined);
    for (let at = 8; at < state.length; at += 7) {
      const changed = `${state.slice(0, at)}${state[at] === 'A' ? 'B' : 'A'}${state.slice(at + 1)}`;
      assert.equal(states.judge(changed, cookieHeader(cookies[0])).ok, false, `at ${at}`);
    }
  });

  it('a callback without a state is reported as state_missing', () => {
    for (const none of [null, ''])
      assert.deepEqual(states.judge(none, undefined), { ok: false, fault: 'state_missing' });
  });

  it('a made-up OAuth state is refused, and never causes an exception', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 3000 }), fc.string(), (state, header) => {
        assert.equal(states.judge(state, header).ok, false);
        assert.equal(states.judge(`v1.main.${state}`, header).ok, false);
      }),
    );
  });

  it('an OAuth state does not reveal its content', () => {
    const link = { org: 'secret-account', sub: 'secret-user', jti: 'secret-link' };
    const asked = { teamId: 'TSECRET1', moves: 'team:TSECRET2', link };
    const { state, cookies } = states.issue(asked, undefined);
    const { content } = states.judge(state, cookieHeader(cookies[0]));
    const secrets = [content?.progressToken, content?.id, asked.teamId, asked.moves, ...Object.values(link)];
    const readable = state.split('.').map((part) => part + Buffer.from(part, 'base64url').toString('latin1'));
    for (const secret of secrets) assert.ok(secret && !readable.join(' ').includes(secret), secret);
  });
});

describe('the state cookie', () => {
  it('the state cookie is hidden from scripts, and is not sent with POST requests from other sites', () => {
    const { cookies } = statesAt({ now: 0 }).issue({}, undefined);
    const { httpOnly, sameSite, path, secure } = parseSetCookie(cookies[0] ?? '');
    assert.deepEqual([httpOnly, sameSite, path, secure], [true, 'lax', '/', undefined]);
  });

  it('a browser that comes back after an hour still has the state cookie, so Foyer can say that the time is up', () => {
    const { state, cookies } = statesAt({ now: 0 }).issue({}, undefined);
    const { maxAge = 0 } = parseSetCookie(cookies[0] ?? '');
    const anHour = 3_600_000;
    const held = maxAge * 1000 > anHour ? cookieHeader(cookies[0]) : undefined;
    const verdict = statesAt({ now: anHour }).judge(state, held);
    assert.equal(!verdict.ok && verdict.fault, 'state_expired');
  });

  it('on https, the state cookie is bound to the host', () => {
    const { cookies } = statesAt({ now: 0 }, { secure: true }).issue({}, undefined);
    assert.match(cookies[0] ?? '', /^__Host-foyer-state-/);
    assert.match(cookies[0] ?? '', /; Secure/);
  });

  it('a browser that starts an install again and again keeps only twelve state cookies', () => {
    const states = statesAt({ now: 0 });
    const jar = new Map<string, string>();
    for (let round = 0; round < 40; round += 1) {
      const header = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      for (const line of states.issue({}, header).cookies) {
        const { name, value, maxAge } = parseSetCookie(line);
        if (maxAge === 0) jar.delete(name);
        else jar.set(name, value ?? '');
      }
    }
    assert.equal(jar.size, 12);
  });
});
