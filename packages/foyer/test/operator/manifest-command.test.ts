import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPublicUrl, readSignsIn } from '../../src/config/config.ts';
import { compareManifests } from '../../src/operator/commands/manifest-command.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { createOperatorHarness } from './operator-harness.ts';

const publicUrl = 'https://foyer.example.com';
const readUrl = { readPublicUrl: () => publicUrl, readConfig: undefinedConfig };

function undefinedConfig(): never {
  throw new Error('the manifest needs no secret');
}

test('`manifest` fills in the public URL, changes nothing else, and needs no secret', async (t) => {
  const { run } = await createOperatorHarness(t);
  const { exitCode, stdout } = await run(['manifest'], readUrl);
  assert.equal(exitCode, 0);
  const expected = JSON.parse(fixtureManifest.replaceAll('https://foyer.example.com', publicUrl));
  assert.deepEqual(JSON.parse(stdout), expected);
  assert.deepEqual(expected.oauth_config.redirect_urls, [`${publicUrl}/slack/oauth_redirect`]);
});

test('`manifest` reads PUBLIC_URL, uses a localhost default if it is blank, and refuses a value without http', () => {
  assert.equal(readPublicUrl({ PUBLIC_URL: `${publicUrl}/` }), publicUrl);
  assert.equal(readPublicUrl({ PUBLIC_URL: ' ' }), 'http://localhost:3000');
  assert.throws(() => readPublicUrl({ PUBLIC_URL: 'foyer.example.com' }), /PUBLIC_URL: is not an http/);
});

test('`manifest` also lists the callback of Sign in with Slack as a redirect URL if sign-in is on', async (t) => {
  const { run } = await createOperatorHarness(t);
  const { stdout } = await run(['manifest'], { ...readUrl, readSignsIn: () => true });
  assert.deepEqual(JSON.parse(stdout).oauth_config.redirect_urls, [
    `${publicUrl}/slack/oauth_redirect`,
    `${publicUrl}/slack/signin/callback`,
  ]);
  assert.deepEqual(
    ['on', 'off', ' on ', '', undefined].map((SIGN_IN) => readSignsIn({ SIGN_IN })),
    [true, false, true, false, false],
  );
});

test('`manifest --check` ignores the default values that Slack adds to an export, and the order of scopes', async (t) => {
  const { folder, run } = await createOperatorHarness(t);
  const exported = JSON.parse((await run(['manifest'], readUrl)).stdout);
  delete exported._metadata;
  exported.oauth_config.scopes.bot.reverse();
  exported.oauth_config.pkce_enabled = false;
  exported.settings.is_hosted = false;
  exported.features.shortcuts = [];
  const file = join(folder, 'exported.json');
  writeFileSync(file, JSON.stringify(exported));
  const agreed = await run(['manifest', '--check', file, '--json'], readUrl);
  assert.equal(agreed.exitCode, 0);
  assert.deepEqual(JSON.parse(agreed.stdout), { matches: true, differences: [] });
  assert.match((await run(['manifest', '--check', file], readUrl)).stdout, /matches/);
});

test('`manifest --check` lists each difference and exits with code 1', async (t) => {
  const { folder, run } = await createOperatorHarness(t);
  const exported = JSON.parse((await run(['manifest'], readUrl)).stdout);
  exported.oauth_config.scopes.bot = [...exported.oauth_config.scopes.bot.slice(1), 'files:read'];
  exported.settings.event_subscriptions.request_url = 'https://old.example.com/slack/events';
  delete exported.settings.interactivity;
  exported.settings.allowed_ip_address_ranges = ['192.0.2.1'];
  const file = join(folder, 'exported.json');
  writeFileSync(file, JSON.stringify(exported));
  const { exitCode, stdout, stderr } = await run(['manifest', '--check', file, '--json'], readUrl);
  assert.equal(exitCode, 1);
  assert.match(stderr, /differs in 5 places/);
  const { matches, differences } = JSON.parse(stdout);
  assert.equal(matches, false);
  assert.deepEqual(differences, [
    { path: 'oauth_config.scopes.bot', expected: 'chat:write', found: null },
    { path: 'oauth_config.scopes.bot', expected: null, found: 'files:read' },
    {
      path: 'settings.event_subscriptions.request_url',
      expected: `${publicUrl}/slack/events`,
      found: 'https://old.example.com/slack/events',
    },
    {
      path: 'settings.interactivity',
      expected: { is_enabled: true, request_url: `${publicUrl}/slack/events` },
      found: null,
    },
    { path: 'settings.allowed_ip_address_ranges', expected: null, found: ['192.0.2.1'] },
  ]);
  const table = await run(['manifest', '--check', file], readUrl);
  assert.match(table.stdout, /^oauth_config\.scopes\.bot +chat:write +-$/m);
});

test('`manifest --check` reports a file that is not a manifest', async (t) => {
  const { folder, run } = await createOperatorHarness(t);
  const file = join(folder, 'exported.yml');
  writeFileSync(file, 'display_information:\n  name: Foyer\n');
  for (const [path, problem] of [
    [file, /cannot be read as JSON/],
    [join(folder, 'missing.json'), /cannot be read as JSON \(ENOENT/],
  ] as const) {
    const { exitCode, stdout, stderr } = await run(['manifest', '--check', path], readUrl);
    assert.equal(exitCode, 1);
    assert.equal(stdout, '');
    assert.match(stderr, problem);
  }
});

test('compareManifests reports a manifest that is not an object as one difference', () => {
  assert.deepEqual(compareManifests({ a: 1 }, []), [{ path: '', expected: { a: 1 }, found: [] }]);
});
