import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadExistingKeyring } from '../../src/operator/keys/load-existing-keyring.ts';
import { createOperatorHarness, storeInstallation } from './operator-harness.ts';

const root = join(import.meta.dirname, '../../../..');
const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');

/** Every command line of the runbook, with its placeholders filled in. */
const commandLines = [
  ...new Set(
    [...runbook.matchAll(/npm\s+run\s+foyer\s+--\s+([^`\n]+(?:\n(?!\n)[^`\n]+)?)(?=`|\n)/g)]
      .map(([, line = '']) => line.replace(/\s+/g, ' ').trim())
      .filter((line) => line !== 'COMMAND'),
  ),
];
const placeholders: Readonly<Record<string, string>> = {
  TEAM: 'T1',
  RUN: 'run_01',
  ID: 'lost',
  EXPORTED: join(import.meta.dirname, '../support/manifest.json'),
  STEP: 'send-welcome',
  TIME: '2026-11-22T01:30Z',
  DAY: '2026-11-22',
};
/** What only reads, and so must work on any healthy database. */
const readers = /^(?:list|show|requests|maintenance|retry --failed|support-bundle)\b/;

const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
const anchors = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title));

describe('the runbook', () => {
  it('has commands in it', () => assert.ok(commandLines.length >= 15, commandLines.join('\n')));

  for (const line of commandLines) {
    it(`gives a command that exists, with its options: ${line}`, async (t) => {
      const { run, folder, database, config } = await createOperatorHarness(t, {
        TOKEN_ENCRYPTION_KEYS: `main:${Buffer.alloc(32, 7).toString('base64')}`,
      });
      await storeInstallation(database, { id: 'ins_1' });
      const words = line
        .split(' ')
        .map((word) => (word === 'FILE' ? join(folder, 'copy.db') : (placeholders[word] ?? word)));
      // These two would ask Slack.
      const offline = /^(?:doctor|support-bundle)$/.test(words[0] ?? '') ? ['--offline'] : [];
      const end = await run([...words, ...offline], {
        confirm: async () => true,
        loadKeyring: () => loadExistingKeyring(config),
      });
      assert.notEqual(end.exitCode, 2, end.stderr);
      assert.doesNotMatch(end.stderr, /unexpected failure: .*(?:unknown|argument)/i);
      if (readers.test(line)) assert.equal(end.exitCode, 0, end.stderr);
    });
  }

  it('is linked to only at sections that it has', () => {
    const sources = globSync('packages/foyer/src/**/*.ts', { cwd: root }).map((file) =>
      readFileSync(join(root, file), 'utf8'),
    );
    const fromOutside = [...sources.join('\n').matchAll(/docs\/runbook\.md#([a-z0-9-]+)/g)];
    const fromInside = [...runbook.matchAll(/\]\(#([a-z0-9-]+)\)/g)];
    assert.ok(fromOutside.length > 3 && fromInside.length > 5);
    const dead = [...fromOutside, ...fromInside].map(([, anchor = '']) => anchor);
    assert.deepEqual(
      dead.filter((anchor) => !anchors.includes(anchor)),
      [],
    );
  });

  it('has a section for each trouble that brings a person to it', () => {
    const wanted = [
      'the-signing-or-client-secret-was-regenerated-or-leaked',
      'one-token-leaked',
      'the-database-leaked',
      'a-key-is-lost',
      'slack-disabled-the-subscription-or-suspended-the-app',
      'restore-and-who-is-missing',
      'the-disk-is-full',
      'a-damaged-page',
      'failover-of-postgres',
      'bulk-retry',
      'upgrade-and-the-way-back',
    ];
    const alerts = [...readFileSync(join(root, 'operations/alerts.yml'), 'utf8').matchAll(/alert: (\w+)/g)];
    const all = [...wanted, ...alerts.map(([, name = '']) => name.toLowerCase())];
    assert.deepEqual(
      all.filter((anchor) => !anchors.includes(anchor)),
      [],
    );
  });
});
