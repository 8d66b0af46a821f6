import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { jwtVerify, SignJWT } from 'jose';
import { ConnectError } from '../../src/connections/connect-error.ts';
import {
  createLink,
  createResult,
  type LinkClaims,
  readLink,
  readResult,
  withResult,
} from '../../src/connections/link.ts';

const secret = 'a secret of at least thirty-two bytes';
const options = { secret, returnOrigins: ['https://app.example.com', 'http://localhost:8000'] };
const now = Date.UTC(2026, 10, 28, 12);
const seconds = now / 1000;
const hour = 3600;

/** The claims that a backend in another language would send. */
const payload = {
  aud: 'foyer:connect',
  sub: 'user-1',
  org: 'org-1',
  label: 'Acme GmbH',
  return_to: 'https://app.example.com/settings?tab=slack',
  team: 'T0001',
  data: { plan: 'pro' },
  jti: 'link-1',
  iat: seconds,
  exp: seconds + hour,
};

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs by hand, so that no code of Foyer limits what can be signed. */
function handMade(claims: unknown, { header = { alg: 'HS256' } as unknown, key = secret } = {}): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    assert.ok(!error.message.includes(secret));
    return error.code;
  }
};

const linkCode = (token: string, at = now): string | undefined => codeOf(() => readLink(options, token, at));

describe('a connect link', () => {
  it('a connect link that another program signed is read with all its claims', () => {
    const { aud: _, iat: __, exp, ...claims } = payload;
    const expected = { ...claims, expiresAt: exp * 1000 };
    assert.deepEqual(readLink(options, handMade(payload), now), expected);
    const typed = handMade({ ...payload, aud: ['foyer:connect'] }, { header: { alg: 'HS256', typ: 'JWT' } });
    assert.deepEqual(readLink(options, typed, now), expected, 'as Go writes it');
  });

  it('a connect link needs only an audience, an org, an id, a time of issue and an expiry', () => {
    const { aud, org, jti, iat, exp } = payload;
    assert.equal(readLink(options, handMade({ aud, org, jti, iat, exp }), now).org, 'org-1');
  });

  it('a connect link with invalid claims is refused, and the error names those claims', () => {
    const claims = { ...payload, team: 'acme', plan: 'pro', 'ex\u0000tra': 1 };
    const message = 'The link has a missing, unknown or invalid claim: team, plan, ex tra.';
    assert.throws(() => readLink(options, handMade(claims), now), { message });
  });

  it('`createLink` makes a link with the documented header and claims, which a JWT library can verify', async () => {
    const { aud: _, iat: __, exp: ___, ...claims } = payload;
    const token = await createLink(options, claims, { now, expiresAt: now + hour * 1000 });
    const read = await jwtVerify(token, Buffer.from(secret), { currentDate: new Date(now) });
    assert.deepEqual(read.payload, payload);
    assert.deepEqual(read.protectedHeader, { alg: 'HS256', typ: 'JWT' });
  });

  it('`createLink` refuses a foreign return_to, an expiry that is now or more than seven days away, and a claim that is too long', async () => {
    const claims: LinkClaims = { org: 'org-1', jti: 'link-1' };
    const times = { now, expiresAt: now + hour * 1000 };
    const refused: [LinkClaims, typeof times][] = [
      [{ ...claims, return_to: 'https://evil.example/' }, times],
      [claims, { now, expiresAt: now + 7 * 24 * 3_600_000 + 1 }],
      [claims, { now, expiresAt: now }],
      [{ ...claims, org: 'x'.repeat(256) }, times],
      [{ ...claims, data: 'x'.repeat(1000) }, times],
    ];
    for (const [wrong, when] of refused)
      await assert.rejects(createLink(options, wrong, when), { name: 'ConnectError', code: 'link_invalid' });
    await createLink(options, claims, { now, expiresAt: now + 7 * 24 * 3_600_000 });
  });

  const without = (name: string) =>
    Object.fromEntries(Object.entries(payload).filter(([key]) => key !== name));
  const refused: Record<string, string> = {
    'is signed with another secret': handMade(payload, { key: `${secret}.` }),
    'has no signature and says alg none in its header': `${part({ alg: 'none' })}.${part(payload)}.`,
    'is signed, but says alg none in its header': handMade(payload, { header: { alg: 'none' } }),
    'is signed, but says alg nOnE in its header': handMade(payload, { header: { alg: 'nOnE' } }),
    'names another HMAC algorithm': handMade(payload, { header: { alg: 'HS512' } }),
    'names a public-key algorithm': handMade(payload, { header: { alg: 'RS256' } }),
    'names no algorithm': handMade(payload, { header: {} }),
    'requires an extension (crit)': handMade(payload, { header: { alg: 'HS256', crit: ['x'], x: 1 } }),
    'carries its own key': handMade(payload, { header: { alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } } }),
    'is for another audience': handMade({ ...payload, aud: 'foyer:result' }),
    'is for two audiences': handMade({ ...payload, aud: ['foyer:connect', 'other'] }),
    'has no audience': handMade(without('aud')),
    'has no expiry': handMade(without('exp')),
    'has no issue time': handMade(without('iat')),
    'has no id': handMade(without('jti')),
    'has no org': handMade(without('org')),
    'has an empty org': handMade({ ...payload, org: '' }),
    'has an org that is a number': handMade({ ...payload, org: 1 }),
    'is valid for longer than seven days': handMade({ ...payload, exp: seconds + 7 * 24 * hour + 1 }),
    'has an issue time in the future': handMade({ ...payload, iat: seconds + 120, exp: seconds + hour }),
    'has an expiry that is a string': handMade({ ...payload, exp: String(seconds + hour) }),
    'never expires': handMade({ ...payload, exp: 1e300 }),
    'has an unknown claim': handMade({ ...payload, admin: true }),
    'has an id that is too long': handMade({ ...payload, jti: 'x'.repeat(129) }),
    'has a label that is too long': handMade({ ...payload, label: 'x'.repeat(201) }),
    'has too much data': handMade({ ...payload, data: 'x'.repeat(1000) }),
    'has a control character in its org': handMade({ ...payload, org: 'org-1\u0000' }),
    'has half of a surrogate pair in its org': handMade({ ...payload, org: 'org-\ud800' }),
    'has a NUL character in its data': handMade({ ...payload, data: 'a\u0000' }),
    'names an invalid team id': handMade({ ...payload, team: 'T1&scope=admin' }),
    'has a payload that is not an object': handMade(['foyer:connect']),
    'has a fourth part': `${handMade(payload)}.x`,
    'has a changed signature': handMade(payload).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    'begins and ends with a space': ` ${handMade(payload)} `,
    'is enormous': handMade({ ...payload, x: 'x'.repeat(9000) }),
  };
  for (const [what, token] of Object.entries(refused))
    it(`a connect link is refused if it ${what}`, () => assert.equal(linkCode(token), 'link_invalid'));

  const returns = {
    'another host': 'https://evil.example/',
    'another host that begins with a listed origin': 'https://app.example.com.evil.example/',
    'another host with a listed origin as the user name': 'https://app.example.com@evil.example/',
    'a listed origin with a user name': 'https://user@app.example.com/',
    'another host with a listed origin in the path': 'https://evil.example/https://app.example.com/',
    'a subdomain': 'https://evil.app.example.com/',
    'the parent domain of a listed host': 'https://example.com/',
    'another port': 'https://app.example.com:8443/',
    'plain http': 'http://app.example.com/',
    'another port of localhost': 'http://localhost:8001/',
    'a path without an origin': '/settings',
    'a scheme-relative URL': '//evil.example/',
    'another host, a backslash and a listed host': 'https://evil.example\\@app.example.com/',
    'a javascript: URL': 'javascript://app.example.com/%0aalert(1)',
    'a data: URL': 'data:text/html,<script>1</script>',
    'a file: URL': 'file://app.example.com/etc/passwd',
    'a listed host with a look-alike letter': 'https://аpp.example.com/',
    'a listed host with a dot at the end': 'https://app.example.com./',
    'a blob: URL': 'blob:https://app.example.com/1',
  };
  for (const [what, return_to] of Object.entries(returns))
    it(`a connect link is refused if its return_to is not allowed: ${what}`, () =>
      assert.equal(linkCode(handMade({ ...payload, return_to })), 'link_invalid'));

  it('the origin in a connect link’s return_to may differ in letter case or name the default port', () => {
    for (const return_to of [
      'HTTPS://APP.EXAMPLE.COM:443/x',
      'https://app.example.com',
      'http://localhost:8000/a?b#c',
    ])
      assert.equal(linkCode(handMade({ ...payload, return_to })), undefined, return_to);
  });

  it('a connect link is accepted if its issuer’s clock is at most a minute ahead, and is refused as soon as it expires', () => {
    const token = handMade(payload);
    assert.equal(linkCode(token, now - 60_000), undefined);
    assert.equal(linkCode(token, now - 61_000), 'link_invalid');
    assert.equal(linkCode(token, now + hour * 1000 - 1), undefined);
    assert.equal(linkCode(token, now + hour * 1000), 'link_expired');
  });

  it('a connect link is refused if any character in it is changed', () => {
    const token = handMade(payload);
    for (let at = 0; at < token.length; at += 3) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      assert.equal(linkCode(changed), 'link_invalid', `at ${at}`);
    }
  });

  it('`readLink` throws only a ConnectError, for any input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        assert.equal(linkCode(text), 'link_invalid');
        assert.equal(linkCode(handMade(text)), 'link_invalid');
      }),
    );
  });
});

describe('a connect result', () => {
  const claims = {
    jti: 'link-1',
    sub: 'user-1',
    org: 'org-1',
    outcome: 'installed',
    team_id: 'T0001',
    team_name: 'Acme',
    enterprise_id: null,
    is_enterprise_install: false,
    installation_id: 'ins_1',
    run_id: 'run_1',
  } as const;
  const resultCode = (token: string, at = now) => codeOf(() => readResult(secret, token, at));

  it('a connect result has the documented claims, and is valid for five minutes', async () => {
    const token = await createResult(secret, claims, now);
    const { payload: read } = await jwtVerify(token, Buffer.from(secret), { currentDate: new Date(now) });
    assert.deepEqual(read, { aud: 'foyer:result', ...claims, iat: seconds, exp: seconds + 300 });
  });

  it('a connect result is read as an object with camelCase names', async () => {
    assert.deepEqual(readResult(secret, await createResult(secret, claims, now), now), {
      jti: 'link-1',
      subject: 'user-1',
      org: 'org-1',
      outcome: 'installed',
      error: null,
      teamId: 'T0001',
      teamName: 'Acme',
      enterpriseId: null,
      isEnterpriseInstall: false,
      installationId: 'ins_1',
      runId: 'run_1',
    });
  });

  it('a connect result is refused if it is forged, invalid, issued in the future or expired, or if it is a connect link', async () => {
    const token = await createResult(secret, claims, now);
    const [header, body, signature] = token.split('.');
    const forged = part({ ...claims, org: 'org-2', aud: 'foyer:result', iat: seconds, exp: seconds + 300 });
    const times = { aud: 'foyer:result', iat: seconds, exp: seconds + 300 };
    assert.equal(resultCode(`${header}.${forged}.${signature}`), 'result_invalid');
    assert.equal(resultCode(`${part({ alg: 'none' })}.${body}.`), 'result_invalid');
    assert.equal(resultCode(handMade({ ...claims, ...times }, { key: 'another' })), 'result_invalid');
    assert.equal(resultCode(handMade(payload)), 'result_invalid');
    assert.equal(resultCode(handMade({ ...claims, ...times, exp: seconds + 301 })), 'result_invalid');
    assert.equal(resultCode(handMade({ ...claims, ...times, outcome: 'won' })), 'result_invalid');
    assert.equal(resultCode(token, now - 61_000), 'result_invalid', 'it is from the future');
    assert.equal(resultCode(token, now - 60_000), undefined);
    assert.equal(resultCode(token, now + 299_999), undefined);
    assert.equal(resultCode(token, now + 300_000), 'result_expired');
  });

  it('a connect result is never accepted as a link, although the same secret signs both', async () => {
    assert.equal(linkCode(await createResult(secret, claims, now)), 'link_invalid');
  });

  it('`withResult` replaces an earlier result in a URL, and keeps the rest of the URL', () => {
    assert.equal(
      withResult('https://app.example.com/a?tab=1&foyer_result=old#x', 'new'),
      'https://app.example.com/a?tab=1&foyer_result=new#x',
    );
  });
});

describe('the header of a connect link', () => {
  it('the header of a connect link may name a key (`kid`), which Foyer ignores', async () => {
    const { aud, ...claims } = payload;
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: '../../dev/null' })
      .setAudience(aud)
      .sign(Buffer.from(secret));
    assert.equal(linkCode(token), undefined);
  });
});
