import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { createInstallLimits, type InstallLimits } from '../../src/http/guard-installs.ts';

/** The two guarded routes, and the outcomes of the requests that were sent to them. */
function setUp(limits: Partial<InstallLimits['perMinute']>) {
  const refused: { status: 429; retryAfterSeconds?: number }[] = [];
  const kinds: string[] = [];
  const guards = createInstallLimits({
    trustProxy: 1,
    pages: {
      sendFailure: (_res, { retryAfterSeconds }) => void refused.push({ status: 429, retryAfterSeconds }),
    },
    refusals: { add: (kind) => kinds.push(kind) },
    limits,
  });
  let letIn = 0;
  const route = (): void => {
    letIn += 1;
  };
  const start = guards.guardStart(route);
  const callback = guards.guardCallback(route);
  const from = (address: string) =>
    ({
      headers: { 'x-forwarded-for': address },
      socket: { remoteAddress: '10.0.0.1' },
    }) as unknown as IncomingMessage;
  const res = {} as ServerResponse;
  return {
    refused,
    kinds,
    letIn: () => letIn,
    start: (address: string) => start(from(address), res),
    callback: (address: string) => callback(from(address), res),
    installed: (address: string) => guards.succeeded(from(address)),
  };
}

describe('the limits of the install flow', () => {
  it('the limits of the install flow cap the callbacks per minute of one address, and say when to try again', async () => {
    const { callback, refused, kinds, letIn } = setUp({ callbacksPerAddress: 3 });
    for (let n = 0; n < 5; n += 1) await callback('192.0.2.1');
    assert.equal(letIn(), 3);
    assert.equal(refused.length, 2);
    const { retryAfterSeconds = 0 } = refused[0] ?? {};
    assert.ok(retryAfterSeconds > 50 && retryAfterSeconds <= 60, String(retryAfterSeconds));
    assert.deepEqual(kinds, ['callbacks_limited', 'callbacks_limited']);
    await callback('192.0.2.2');
    assert.equal(letIn(), 4, 'another address is not affected');
  });

  it('the install flow limits the number of callbacks per minute from all addresses together', async () => {
    const { callback, letIn } = setUp({ callbacksPerAddress: 3, callbacksInAll: 10 });
    for (let n = 0; n < 50; n += 1) await callback(`192.0.2.${n}`);
    assert.equal(letIn(), 10);
  });

  it('requests that led to an install do not count toward the limits for all addresses together', async () => {
    const { start, callback, installed, letIn } = setUp({ callbacksInAll: 2, startsInAll: 2 });
    for (let n = 0; n < 10; n += 1) {
      await start(`192.0.2.${n}`);
      await callback(`192.0.2.${n}`);
      installed(`192.0.2.${n}`);
    }
    assert.equal(letIn(), 20);
  });

  it('the limits of the install flow count a customer’s whole IPv6 network as one address', async () => {
    const { callback, letIn } = setUp({ callbacksPerAddress: 3 });
    for (let n = 0; n < 50; n += 1) await callback(`2001:db8:1:2::${n.toString(16)}`);
    assert.equal(letIn(), 3);
    await callback('2001:db8:1:3::1');
    assert.equal(letIn(), 4);
  });

  it('requests that led to an install do not count toward the limits for one address', async () => {
    const { start, callback, installed, letIn, refused } = setUp({
      callbacksPerAddress: 3,
      startsPerAddress: 3,
    });
    for (let n = 0; n < 50; n += 1) {
      await start('192.0.2.1');
      await callback('192.0.2.1');
      installed('192.0.2.1');
    }
    assert.equal(letIn(), 100);
    assert.deepEqual(refused, []);
  });

  it('the limits of the install flow count install starts and callbacks separately', async () => {
    const { start, callback, letIn, kinds } = setUp({ callbacksPerAddress: 3, startsPerAddress: 2 });
    for (let n = 0; n < 4; n += 1) await start('192.0.2.1');
    await callback('192.0.2.1');
    assert.equal(letIn(), 3);
    assert.deepEqual(kinds, ['installs_limited', 'installs_limited']);
  });
});
