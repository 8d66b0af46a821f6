import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type CaddyStage, caddyVersion, startCaddy, startUpstream, type Upstream } from './caddy-stage.ts';

/** What deploy/Caddyfile promises, tested with the real Caddy if it is installed (Debian: apt-get install caddy). */

const callback = '/slack/oauth_redirect?code=one-time-code&state=sealed-state';

async function stage(
  t: TestContext,
  environment?: Record<string, string>,
): Promise<{ caddy: CaddyStage; a: Upstream; b: Upstream }> {
  const [a, b] = [await startUpstream(), await startUpstream()];
  t.after(() => Promise.all([a.stop(), b.stop()]));
  const caddy = await startCaddy([a, b], environment);
  t.after(() => caddy.close());
  return { caddy, a, b };
}

const isOld = caddyVersion !== undefined && caddyVersion < 2_011_004 && 'needs Caddy 2.11.4';

const arrivedAt = (...upstreams: Upstream[]) => upstreams.flatMap((upstream) => upstream.arrived);

/**
 * Sends requests through the proxy, and checks that each upstream received at least one. If the proxy keeps its
 * connections open, it uses the same connections for the requests of the test.
 */
async function warmUp(caddy: CaddyStage, ...upstreams: Upstream[]): Promise<void> {
  for (let round = 0; round < 4; round += 1) await (await fetch(caddy.url)).text();
  for (const upstream of upstreams) {
    assert.ok(upstream.arrived.length > 0);
    upstream.arrived.length = 0;
  }
}

describe('the reverse proxy', { skip: caddyVersion === undefined && 'no Caddy on this machine' }, () => {
  it('if one Foyer instance is down, the proxy sends each OAuth callback once, to the other instance', async (t) => {
    const { caddy, a, b } = await stage(t);
    await warmUp(caddy, a, b);
    await a.stop();
    for (let round = 0; round < 6; round += 1) assert.equal((await fetch(caddy.url + callback)).status, 200);
    assert.equal(a.arrived.length, 0);
    assert.equal(b.arrived.length, 6);
    const event = await fetch(`${caddy.url}/slack/events`, { method: 'POST', body: 'an event' });
    assert.equal(event.status, 200);
    assert.deepEqual(
      b.arrived.slice(6).map(({ body }) => body),
      ['an event'],
    );
  });

  it('if one Foyer instance is down, the proxy sends each event with its whole body to the other instance', {
    skip: isOld,
  }, async (t) => {
    const { caddy, a, b } = await stage(t);
    await warmUp(caddy, a, b);
    await a.stop();
    for (const body of ['one', 'two'])
      assert.equal((await fetch(`${caddy.url}/slack/events`, { method: 'POST', body })).status, 200);
    assert.deepEqual(
      b.arrived.map(({ body }) => body),
      ['one', 'two'],
    );
  });

  it('the proxy never retries an OAuth callback that reached a Foyer instance', async (t) => {
    const { caddy, a, b } = await stage(t);
    await warmUp(caddy, a, b);
    a.breaksOff = true;
    b.breaksOff = true;
    const answer = await fetch(caddy.url + callback);
    assert.equal(answer.status, 502);
    assert.match(await answer.text(), /Adding it twice does no harm/);
    assert.equal(arrivedAt(a, b).length, 1);
  });

  it('if an OAuth callback reached a Foyer instance, the proxy never retries it, even if its path is percent-encoded', async (t) => {
    const { caddy, a, b } = await stage(t);
    a.breaksOff = true;
    b.breaksOff = true;
    await fetch(`${caddy.url}/slack/%6fauth_redirect?code=c&state=s`);
    assert.equal(arrivedAt(a, b).length, 1);
  });

  it('the proxy never retries a POST to /slack/events that reached a Foyer instance', async (t) => {
    const { caddy, a, b } = await stage(t);
    await warmUp(caddy, a, b);
    a.breaksOff = true;
    b.breaksOff = true;
    const answer = await fetch(`${caddy.url}/slack/events`, { method: 'POST', body: 'event' });
    assert.equal(answer.status, 502);
    assert.equal(arrivedAt(a, b).length, 1);
  });

  it('the proxy retries a page request on the other Foyer instance if the first one drops the connection', async (t) => {
    const { caddy, a, b } = await stage(t);
    a.breaksOff = true;
    for (let round = 0; round < 2; round += 1) assert.equal((await fetch(caddy.url)).status, 200);
    assert.ok(a.arrived.length >= 1);
    assert.equal(b.arrived.length, 2);
  });

  it('if both Foyer instances are down, the proxy answers with an error and logs no secret', async (t) => {
    const { caddy, a, b } = await stage(t);
    await Promise.all([a.stop(), b.stop()]);
    const headers = { cookie: 'foyer-operator=session-secret', referer: 'https://x/?state=referred-state' };
    const [answer, page] = await Promise.all([
      fetch(caddy.url + callback, { headers }),
      fetch(`${caddy.url}/installs/progress-token/status`, { headers }),
    ]);
    assert.ok(answer.status >= 502 && page.status >= 502);
    assert.equal(answer.headers.get('retry-after'), '10');
    assert.match(caddy.logged(), /oauth_redirect/);
    assert.match(caddy.logged(), /\/installs\/\[secret\]\/status/);
    assert.doesNotMatch(
      caddy.logged(),
      /one-time-code|sealed-state|progress-token|session-secret|referred-state/,
    );
  });

  it('the proxy replaces an X-Forwarded-For header from a visitor with the visitor’s own address', async (t) => {
    const { caddy, a, b } = await stage(t);
    await fetch(caddy.url, { headers: { 'x-forwarded-for': '203.0.113.9' } });
    const [seen] = arrivedAt(a, b);
    assert.match(seen?.forwardedFor ?? '', /^(127\.0\.0\.1|::1)$/);
  });

  it('the proxy does not expose the metrics', async (t) => {
    const { caddy, a, b } = await stage(t);
    assert.equal((await fetch(`${caddy.url}/metrics`)).status, 404);
    assert.equal(arrivedAt(a, b).length, 0);
  });

  it('the proxy hides the operator pages from visitors outside OPERATOR_NETWORKS; if the variable is not set, every visitor can reach them', async (t) => {
    const closed = await stage(t, { OPERATOR_NETWORKS: '192.0.2.0/24 2001:db8::/32' });
    for (const path of ['/operator', '/operator/requests', '/OPERATOR', '/%6fperator'])
      assert.equal((await fetch(closed.caddy.url + path)).status, 404, path);
    assert.equal(arrivedAt(closed.a, closed.b).length, 0);
    const open = await stage(t);
    assert.equal((await fetch(`${open.caddy.url}/operator`)).status, 200);
  });
});
