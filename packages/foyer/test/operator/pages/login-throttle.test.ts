import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLoginThrottle } from '../../../src/operator/pages/login-throttle.ts';
import { createClock } from '../../support/installations.ts';

function failTimes(throttle: ReturnType<typeof createLoginThrottle>, address: string, times: number): void {
  for (let count = 0; count < times; count += 1) throttle.failed(address);
}

describe('the login throttle', () => {
  it('the login throttle makes an address wait after five wrong passwords, and doubles the wait each time, up to fifteen minutes', () => {
    const clock = createClock();
    const throttle = createLoginThrottle({ now: clock.now });
    failTimes(throttle, '192.0.2.1', 4);
    assert.equal(throttle.waitMs('192.0.2.1'), 0);
    throttle.failed('192.0.2.1');
    assert.equal(throttle.waitMs('192.0.2.1'), 1000);
    clock.advance(1000);
    assert.equal(throttle.waitMs('192.0.2.1'), 0);
    throttle.failed('192.0.2.1');
    assert.equal(throttle.waitMs('192.0.2.1'), 2000);
    failTimes(throttle, '192.0.2.1', 20);
    assert.equal(throttle.waitMs('192.0.2.1'), 15 * 60_000);
  });

  it('the login throttle applies a wait to one IPv4 address, or to the whole /64 of an IPv6 address', () => {
    const throttle = createLoginThrottle({ now: createClock().now });
    failTimes(throttle, '192.0.2.1', 8);
    assert.equal(throttle.waitMs('192.0.2.2'), 0);
    assert.equal(throttle.waitMs('::ffff:192.0.2.1'), 8000);
    failTimes(throttle, '2001:db8:0:7::1', 8);
    assert.equal(throttle.waitMs('2001:db8:0:7:ffff:1:2:3'), 8000);
    assert.equal(throttle.waitMs('2001:db8:0:8::1'), 0);
  });

  it('the login throttle forgets an address after an hour without a failure, or at once after the right password', () => {
    const clock = createClock();
    const throttle = createLoginThrottle({ now: clock.now });
    failTimes(throttle, '192.0.2.1', 9);
    clock.advance(3_600_001);
    throttle.failed('192.0.2.1');
    assert.equal(throttle.waitMs('192.0.2.1'), 0);
    failTimes(throttle, '192.0.2.3', 9);
    throttle.succeeded('192.0.2.3');
    assert.equal(throttle.waitMs('192.0.2.3'), 0);
  });

  it('after wrong passwords from many addresses, the login throttle makes every address wait, except those from which someone has logged in before', () => {
    const clock = createClock();
    const throttle = createLoginThrottle({ now: clock.now });
    throttle.succeeded('198.51.100.7');
    for (let host = 0; host < 60; host += 1) throttle.failed(`192.0.2.${host}`);
    assert.equal(throttle.waitMs('203.0.113.1'), 2000);
    assert.equal(throttle.waitMs('198.51.100.7'), 0);
    clock.advance(2000);
    assert.equal(throttle.waitMs('203.0.113.1'), 0);
    throttle.failed('203.0.113.1');
    assert.equal(throttle.waitMs('203.0.113.2'), 2000);
  });

  it('the login throttle remembers a bounded number of addresses', () => {
    const clock = createClock();
    const throttle = createLoginThrottle({ now: clock.now });
    failTimes(throttle, '192.0.2.1', 30);
    for (let host = 0; host < 10_000; host += 1) throttle.failed(`10.0.${host >> 8}.${host & 255}`);
    // The throttle has forgotten this address, the oldest. Only the wait that applies to every address remains.
    assert.equal(throttle.waitMs('192.0.2.1'), 2000);
  });
});
