import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Brand, completeBrand } from '../../src/http/brand.ts';
import type { ReviewPoint } from '../../src/operator/review/marketplace-checklist.ts';
import { createTexts } from '../../src/texts/create-texts.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { createOperatorHarness } from './operator-harness.ts';

const scopes = ['chat:write', 'im:write', 'im:history', 'users:read', 'users:read.email', 'team:read'];
const reasons = Object.fromEntries(scopes.map((scope) => [`reason.${scope}`, `Because of ${scope}`]));
const ready = {
  environment: {
    PUBLIC_URL: 'https://app.example',
    PRIVACY_URL: 'https://example.com/privacy',
    SUPPORT_URL: 'mailto:help@example.com',
  },
  brand: { logo: './logo.png' } satisfies Partial<Brand>,
  texts: { en: reasons },
  manifest: (value: unknown) => value,
};

async function review(t: TestContext, changes: Partial<typeof ready> & { brand?: Partial<Brand> }) {
  const { environment, brand, texts, manifest } = { ...ready, ...changes };
  const { run } = await createOperatorHarness(t, environment);
  const options = {
    readManifest: () => JSON.stringify(manifest(JSON.parse(fixtureManifest))),
    readPresentation: (config: Parameters<typeof completeBrand>[0]) => ({
      brand: completeBrand(config, brand),
      words: createTexts(texts).forLocale('en'),
      cleansUp: false,
    }),
  };
  const json = await run(['review', '--json'], options);
  const { points, texts: pasted } = JSON.parse(json.stdout);
  const failed = points.filter(({ result }: ReviewPoint) => result === 'fail');
  return {
    ...json,
    pasted,
    failed: failed.map(({ point }: ReviewPoint) => point),
    run: () => run(['review'], options),
  };
}

test('`review` passes an app that is ready for the Slack Marketplace, and prints the texts to paste into the submission', async (t) => {
  const { exitCode, failed, pasted, stderr, run } = await review(t, {});
  assert.deepEqual([exitCode, failed, stderr], [0, [], '']);
  assert.equal(pasted['im:history'], 'Because of im:history');
  assert.equal(pasted['landing page'], 'https://app.example/');
  assert.equal(pasted['privacy policy'], 'https://example.com/privacy');
  const { stdout } = await run();
  assert.match(stdout, /^by hand +ten active workspaces /m);
  assert.match(stdout, /^by hand +Slack looks closely at im:history .* The scope is already optional/m);
  assert.match(stdout, /^ {2}chat:write +Because of chat:write$/m);
});

const manifestWith =
  (path: [string, string], change: (inner: Record<string, unknown>) => object) => (value: unknown) => {
    const manifest = value as Record<string, Record<string, Record<string, unknown>>>;
    const [outer, inner] = path;
    return { ...manifest, [outer]: { ...manifest[outer], ...change(manifest[outer]?.[inner] ?? {}) } };
  };

for (const [what, changes, point] of [
  ['a name that contains “Slack”', { brand: { ...ready.brand, name: 'Hello for Slack' } }, 'name'],
  [
    'a short description that is too short',
    { brand: { ...ready.brand, tagline: 'Hi' } },
    'short description',
  ],
  [
    'a long description that is too short',
    { brand: { ...ready.brand, description: 'Short.' } },
    'long description',
  ],
  ['no icon', { brand: {} }, 'icon'],
  ['no privacy policy', { environment: { ...ready.environment, PRIVACY_URL: '' } }, 'privacy policy'],
  ['no support address', { environment: { ...ready.environment, SUPPORT_URL: '' } }, 'support'],
  [
    'a public URL on localhost',
    { environment: { ...ready.environment, PUBLIC_URL: 'http://localhost:3000' } },
    'landing page',
  ],
  [
    'a scope without a reason',
    { texts: { en: { ...reasons, 'reason.im:history': undefined } } as never },
    'a reason for each scope',
  ],
  [
    'a scope that Slack does not list',
    {
      environment: { ...ready.environment, SLACK_USER_SCOPES: 'search:read' },
      texts: { en: { ...reasons, 'reason.search:read': 'So' } },
    },
    'scopes that the Marketplace accepts',
  ],
  [
    'no subscription to tokens_revoked',
    {
      manifest: manifestWith(['settings', 'event_subscriptions'], (inner) => ({
        event_subscriptions: { ...inner, bot_events: ['app_uninstalled'] },
      })),
    },
    'uninstall events',
  ],
  [
    'an open Messages tab but no subscription to message.im',
    {
      manifest: manifestWith(['features', 'app_home'], (inner) => ({
        app_home: { ...inner, messages_tab_read_only_enabled: false },
      })),
    },
    'Messages tab',
  ],
  [
    'Socket Mode',
    { manifest: manifestWith(['settings', 'socket_mode_enabled'], () => ({ socket_mode_enabled: true })) },
    'HTTP, not Socket Mode',
  ],
] as [string, Partial<typeof ready> & { brand?: Partial<Brand> }, string][]) {
  test(`\`review\` reports that an app with ${what} is not ready for the Marketplace, and exits with code 1`, async (t) => {
    const { exitCode, failed, stderr } = await review(t, changes);
    assert.deepEqual([exitCode, failed], [1, [point]]);
    assert.match(stderr, /Not ready: 1 point fails, see above/);
  });
}
