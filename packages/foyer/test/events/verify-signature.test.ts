import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSignatureCheck } from '../../src/events/verify-signature.ts';

const signingSecret = 'a-signing-secret';
const now = 1_800_000_000_000;
const check = createSignatureCheck({ signingSecret, now: () => now });
const body = Buffer.from('{"type":"event_callback"}');

const signed = (atMs: number, secret = signingSecret) => {
  const timestamp = String(Math.floor(atMs / 1000));
  const digest = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': `v0=${digest}` };
};

describe('a request signature', () => {
  it('a request signature is accepted if its timestamp is at most five minutes in the past or future', () => {
    for (const at of [now, now - 300_000, now + 300_000]) {
      assert.equal(check.ofHeaders(signed(at)), undefined);
      assert.equal(check.ofRequest(signed(at), body), undefined);
    }
  });

  it('a request signature is refused before the body is read if a header is missing or malformed, or the timestamp is too far off', () => {
    const { 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp } = signed(now);
    const cases = [
      [{}, 'signature_missing'],
      [{ 'x-slack-signature': signature }, 'signature_missing'],
      [{ 'x-slack-request-timestamp': timestamp }, 'signature_missing'],
      [{ ...signed(now), 'x-slack-request-timestamp': 'now' }, 'signature_malformed'],
      [{ ...signed(now), 'x-slack-request-timestamp': '-5' }, 'signature_malformed'],
      [{ ...signed(now), 'x-slack-request-timestamp': '1e9' }, 'signature_malformed'],
      [{ ...signed(now), 'x-slack-signature': signature.slice(0, -1) }, 'signature_malformed'],
      [{ ...signed(now), 'x-slack-signature': signature.replace('v0', 'v1') }, 'signature_malformed'],
      [signed(now - 301_000), 'signature_stale'],
      [signed(now + 301_000), 'signature_from_the_future'],
    ] as const;
    for (const [headers, problem] of cases) {
      assert.equal(check.ofHeaders(headers), problem, JSON.stringify(headers));
      assert.equal(check.ofRequest(headers, body), problem);
    }
  });

  it('if a request signature was made with another secret or for another body, it is refused only after the body is read', () => {
    assert.equal(check.ofHeaders(signed(now, 'another')), undefined);
    assert.equal(check.ofRequest(signed(now, 'another'), body), 'signature_wrong');
    assert.equal(check.ofRequest(signed(now), Buffer.from('{}')), 'signature_wrong');
  });
});
