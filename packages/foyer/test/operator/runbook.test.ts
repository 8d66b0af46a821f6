import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import { damagePages } from '../support/damage-pages.ts';
import { createOperatorHarness, storeInstallation } from './operator-harness.ts';

const root = join(import.meta.dirname, '../../../..');
const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');

/** Every command line of the runbook, once, with its placeholders. */
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
/** The commands that must succeed on any healthy database. */
const readers = /^(?:list|show|requests|maintenance|retry --failed|support-bundle)\b/;

const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
const anchors = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title));

const keyed = (config: Config) => ({
  readConfig: () => config,
  loadKeyring: () => loadExistingKeyring(config),
});

describe('the runbook', () => {
  it('the runbook contains at least 15 commands', () =>
    assert.ok(commandLines.length >= 15, commandLines.join('\n')));

  for (const line of commandLines) {
    it(`the command line accepts this command from the runbook: ${line}`, async (t) => {
      const { run, folder, database, config } = await createOperatorHarness(t, {
        TOKEN_ENCRYPTION_KEYS: `main:${Buffer.alloc(32, 7).toString('base64')}`,
      });
      await storeInstallation(database, { id: 'ins_1' });
      const words = line
        .split(' ')
        .map((word) => (word === 'FILE' ? join(folder, 'copy.db') : (placeholders[word] ?? word)));
      // Without --offline, `doctor` and `support-bundle` would call Slack.
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

  /**
   * For a database with a damaged page, the runbook has two commands for operators without a backup: one with
   * `.recover`, and one with `.dump` for an `sqlite3` without `.recover`.
   */
  const rescues = [/`(sqlite3 foyer\.db \.recover[^`\n]+)`/, /^ +(sqlite3 foyer\.db \.dump .+)$/m];
  for (const [index, pattern] of rescues.entries()) {
    it(`the runbook’s sqlite3 ${index === 0 ? '.recover' : '.dump'} command saves every installation from a damaged database`, async (t) => {
      const command = pattern.exec(runbook)?.[1] ?? assert.fail('the runbook does not say it');
      const { run, folder, file, database, config, variables } = await createOperatorHarness(t, {
        TOKEN_ENCRYPTION_KEYS: `main:${Buffer.alloc(32, 7).toString('base64')}`,
      });
      if (spawnSync('sqlite3', ['-version']).error)
        return t.skip('the command sqlite3 is not installed (apt-get install sqlite3)');
      const canRecover = spawnSync('sqlite3', [':memory:', 'pragma compile_options'], { encoding: 'utf8' });
      if (index === 0 && !canRecover.stdout.includes('ENABLE_DBPAGE_VTAB'))
        return t.skip('this sqlite3 was built without .recover, like Debian’s; the next test covers .dump');
      const count = 40;
      for (let team = 1; team <= count; team += 1) {
        await storeInstallation(database, { id: `ins_${team}`, team_id: `T${team}` });
      }
      await database.close();
      damagePages(file, ['sessions', 'runs_by_installation']);
      assert.match((await run(['doctor', '--offline'], keyed(config))).stdout, /✕ database-integrity/);

      const end = spawnSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' });
      assert.equal(end.status, 0, end.stderr);
      const saved = { ...config, database: { kind: 'sqlite' as const, file: join(folder, 'saved.db') } };
      chmodSync(saved.database.file, 0o600);
      const { stdout } = await run(['doctor', '--offline'], {
        ...keyed(saved),
        readEnvironment: () => ({ ...variables, DATABASE_URL: `file:${saved.database.file}` }),
      });
      for (const check of ['database-integrity', 'database-schema', 'key']) {
        assert.match(stdout, new RegExp(`^✓ ${check} `, 'm'));
      }
      assert.equal(JSON.parse((await run(['list', '--json'], keyed(saved))).stdout).length, count);
    });
  }

  it('every link to the runbook leads to a section that exists', () => {
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

  it('the runbook has one section for each alert and for each problem that this test lists, and no others', () => {
    const withoutAlert = [
      'the-signing-or-client-secret-was-regenerated-or-leaked',
      'one-token-leaked',
      'the-database-leaked',
      'a-key-is-lost',
      'slack-disabled-the-subscription-or-suspended-the-app',
      'restore-and-who-is-missing',
      'foyer-runs-on-the-wrong-database',
      'the-address-is-wrong-or-has-changed',
      'the-disk-is-full',
      'a-damaged-page',
      'failover-of-postgres',
      'bulk-retry',
      'upgrade-and-the-way-back',
    ];
    const alerts = [...readFileSync(join(root, 'operations/alerts.yml'), 'utf8').matchAll(/alert: (\w+)/g)];
    const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = '']) => anchorOf(title));
    const named = alerts.map(([, name = '']) => name.toLowerCase());
    assert.deepEqual(sections.toSorted(), [...named, ...withoutAlert].toSorted());
  });
});
