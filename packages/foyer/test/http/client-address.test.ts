import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { clientAddress } from '../../src/http/bound-connections.ts';
import { isFromHere } from '../../src/http/read-form.ts';

/** The parts of a request that `clientAddress` reads. */
function requestFrom(remoteAddress: string, forwardedFor?: string): IncomingMessage {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

describe('the client’s address', () => {
  it('the client’s address is that of the connection if no proxy is trusted, even with an X-Forwarded-For header', () => {
    assert.equal(clientAddress(requestFrom('192.0.2.1', '10.0.0.1'), 0), '192.0.2.1');
  });

  it('the client’s address is the one that the outermost trusted proxy saw, even if the visitor wrote another one into X-Forwarded-For', () => {
    assert.equal(clientAddress(requestFrom('10.0.0.9', '6.6.6.6, 192.0.2.1'), 1), '192.0.2.1');
    assert.equal(clientAddress(requestFrom('10.0.0.9', '6.6.6.6, 192.0.2.1, 10.0.0.8'), 2), '192.0.2.1');
  });

  it('the client’s address is that of the connection if X-Forwarded-For is absent or holds no address', () => {
    assert.equal(clientAddress(requestFrom('10.0.0.9'), 1), '10.0.0.9');
    assert.equal(clientAddress(requestFrom('10.0.0.9', 'x'.repeat(5000)), 1), '10.0.0.9');
  });
});

describe('the origin of a form', () => {
  const publicUrl = 'https://foyer.example.com';
  const host = 'foyer.example.com';

  it('if the browser sends Sec-Fetch-Site, that header decides whether a form comes from Foyer’s own page', () => {
    assert.ok(isFromHere({ host, 'sec-fetch-site': 'same-origin', origin: 'null' }, publicUrl));
    for (const site of ['cross-site', 'same-site', 'none']) {
      assert.ok(!isFromHere({ host, 'sec-fetch-site': site, origin: publicUrl }, publicUrl), site);
    }
  });

  it('if the browser sends no Sec-Fetch-Site, the Origin header decides whether a form comes from Foyer’s own page', () => {
    assert.ok(isFromHere({ host, origin: publicUrl }, publicUrl));
    assert.ok(isFromHere({ host: 'localhost:3000', origin: 'http://localhost:3000' }, publicUrl));
    assert.ok(!isFromHere({ host, origin: 'https://evil.example' }, publicUrl));
    assert.ok(!isFromHere({ host, origin: 'nonsense' }, publicUrl));
  });
});
