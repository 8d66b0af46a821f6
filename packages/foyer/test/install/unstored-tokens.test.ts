import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUnstoredTokens } from '../../src/install/unstored-tokens.ts';

const unused = (): never => assert.fail('not asked for');

/** What the provider gets to see of an answer to `oauth.v2.access` that came with 200. */
async function seen(answer: unknown): Promise<unknown> {
  const tokens = createUnstoredTokens({
    database: { write: async () => {} } as never,
    sealer: { seal: () => 'sealed', open: unused },
    store: { findInstallation: unused },
    slack: unused,
    log: { warn: unused } as never,
  });
  const { options } = tokens.watch('req_1', { fetch: async () => Response.json(answer) });
  return (await options.fetch('https://slack.example/api/oauth.v2.access')).json();
}

const whole = {
  ok: true,
  access_token: 'xoxb-1',
  authed_user: { id: 'U1' },
  team: { id: 'T1' },
  enterprise: null,
};
const org = { ...whole, team: null, enterprise: { id: 'E1' }, is_enterprise_install: true };

test('an answer that says neither who installed nor where is passed on as none of Slack’s', async () => {
  const { authed_user: _, ...nobody } = whole;
  for (const answer of [
    null,
    'hello',
    [],
    {},
    { ok: true },
    nobody,
    { ...whole, team: null },
    { ...org, enterprise: null },
  ]) {
    assert.deepEqual(await seen(answer), { ok: false }, JSON.stringify(answer));
  }
});

test('an install and a refusal are passed on as they are', async () => {
  for (const answer of [
    whole,
    org,
    { ...whole, access_token: undefined },
    { ok: false, error: 'invalid_code' },
  ]) {
    assert.deepEqual(await seen(answer), JSON.parse(JSON.stringify(answer)));
  }
});
