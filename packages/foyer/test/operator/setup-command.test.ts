import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse as parseDotenv } from 'dotenv';
import { parseConfig } from '../../src/config/config.ts';
import { loadExistingKeyring } from '../../src/operator/keys/load-existing-keyring.ts';
import { fillManifest } from '../../src/operator/manifest/fill-manifest.ts';
import type { SetupPrompts, SetupQuestion } from '../../src/operator/setup/setup-prompts.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { createOperatorHarness, type RunOptions } from './operator-harness.ts';

const clientSecret = 'c1d2e3f4'.repeat(4);
const signingSecret = 'a9b8c7d6'.repeat(4);
const flags = ['--public-url', 'https://foyer.example.com/', '--client-id', '12.34', '--no-doctor'];
const secrets = { SLACK_CLIENT_SECRET: clientSecret, SLACK_SIGNING_SECRET: signingSecret };

/** An empty folder in which setup runs, with only the given environment over that of its .env. */
async function prepare(t: TestContext) {
  const harness = await createOperatorHarness(t);
  const folder = join(harness.folder, 'clone');
  mkdirSync(folder);
  const env = join(folder, '.env');
  async function setup(
    commandLine: readonly string[],
    environment: Record<string, string> = {},
    options: RunOptions = {},
  ) {
    const readEnvironment = () => ({
      ...(existsSync(env) && parseDotenv(readFileSync(env))),
      ...environment,
    });
    const end = await harness.run(['setup', ...commandLine], {
      folder,
      readEnvironment,
      loadKeyring: loadExistingKeyring,
      ...options,
    });
    for (const secret of [clientSecret, signingSecret]) {
      assert.equal((end.stdout + end.stderr).includes(secret), false, 'a secret was printed');
    }
    return end;
  }
  const written = () => parseDotenv(readFileSync(env));
  return { folder, env, setup, written };
}

/** Prompts that give these answers in turn, and record what is shown and asked. Undefined is Ctrl-C. */
function scripted(answers: (string | boolean | undefined)[]) {
  const asked: string[] = [];
  const told: string[] = [];
  const refused: string[] = [];
  const answer = (question: SetupQuestion): string | undefined => {
    asked.push(question.message);
    for (;;) {
      const given = answers.shift();
      if (typeof given !== 'string') return undefined;
      const problem = question.validate(given);
      if (problem === undefined) return given;
      refused.push(problem);
    }
  };
  const prompts: SetupPrompts = {
    text: async (question) => answer(question),
    secret: async (question) => answer(question),
    async confirm({ message }) {
      asked.push(message);
      return answers.shift() === true;
    },
    tell: (_title, lines) => void told.push(lines),
  };
  return { prompts, asked, told, refused };
}

test('setup in a script writes an .env with which Foyer starts', async (t) => {
  const { folder, env, setup, written } = await prepare(t);
  // A clone has this file; in an app without one, .env starts empty.
  copyFileSync(new URL('../../../../.env.example', import.meta.url), join(folder, '.env.example'));
  const { exitCode, stdout, stderr } = await setup([...flags, '--production', '--json'], secrets);
  assert.equal(exitCode, 0, stderr);
  const outcome = JSON.parse(stdout);
  assert.deepEqual([outcome.envFile, outcome.backup, outcome.doctor], [env, null, null]);
  assert.equal(statSync(env).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder).sort(), ['.env', '.env.example', 'slack-app-manifest.json']);
  assert.match(readFileSync(env, 'utf8'), /^# Foyer's whole configuration\./);

  const config = parseConfig(written(), fixtureManifest);
  assert.equal(config.http.publicUrl, 'https://foyer.example.com');
  assert.deepEqual([config.slack.clientSecret, config.slack.signingSecret], [clientSecret, signingSecret]);
  assert.deepEqual([config.production, config.encryptionKeys?.[0]?.id], [true, outcome.newKeyId]);
  assert.equal(stdout.includes(config.encryptionKeys?.[0]?.base64 ?? 'none'), false);

  const manifest = fillManifest(fixtureManifest, 'https://foyer.example.com');
  assert.deepEqual(JSON.parse(readFileSync(outcome.manifestFile, 'utf8')), manifest);
  const link = new URL(outcome.createAppUrl);
  assert.equal(`${link.origin}${link.pathname}`, 'https://api.slack.com/apps');
  assert.equal(link.searchParams.get('new_app'), '1');
  assert.deepEqual(JSON.parse(link.searchParams.get('manifest_json') ?? ''), manifest);
});

test('setup backs up an existing .env, and keeps its other lines', async (t) => {
  const { folder, env, setup, written } = await prepare(t);
  const before = `# ours\nPORT=3100 # behind nginx\nSLACK_CLIENT_ID=99.99\nTOKEN_ENCRYPTION_KEYS='old:${'A'.repeat(43)}='\n`;
  writeFileSync(env, before);
  chmodSync(env, 0o644);
  assert.equal((await setup(flags, secrets)).exitCode, 0);
  assert.match(
    readFileSync(env, 'utf8'),
    /^# ours\nPORT=3100 # behind nginx\nSLACK_CLIENT_ID=12\.34\nTOKEN_ENCRYPTION_KEYS='old:A+='\n/,
  );
  assert.equal(written().SLACK_CLIENT_SECRET, clientSecret);
  assert.equal(statSync(env).mode & 0o777, 0o600);
  const [backup = ''] = readdirSync(folder).filter((name) => name.startsWith('.env.backup-'));
  assert.equal(backup, '.env.backup-2026-11-22T01-47-03Z');
  assert.equal(readFileSync(join(folder, backup), 'utf8'), before);
  assert.equal(statSync(join(folder, backup)).mode & 0o777, 0o600);

  // Only the address has changed: everything else is already set.
  const again = await setup(['--public-url', 'https://new.example.com', '--no-doctor']);
  assert.equal(again.exitCode, 0, again.stderr);
  assert.deepEqual([written().PUBLIC_URL, written().SLACK_CLIENT_ID], ['https://new.example.com', '12.34']);
  assert.equal(readdirSync(folder).filter((name) => name.startsWith('.env.backup-')).length, 2);
});

test('setup makes no key if a key file is in use, and follows a link', async (t) => {
  const { folder, env, setup, written } = await prepare(t);
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data/foyer.db.key'), 'in use');
  writeFileSync(join(folder, 'real.env'), 'PORT=3100\n');
  symlinkSync('real.env', env);
  assert.equal((await setup(flags, secrets)).exitCode, 0);
  assert.equal(written().TOKEN_ENCRYPTION_KEYS, undefined);
  assert.match(readFileSync(join(folder, 'real.env'), 'utf8'), /^PORT=3100\nPUBLIC_URL=/);
});

test('setup takes the secrets from stdin', async (t) => {
  const { setup, written } = await prepare(t);
  const stdin = (text: string) => ({ readStdin: async () => text });
  const lines = `SLACK_CLIENT_SECRET=${clientSecret}\nSLACK_SIGNING_SECRET="${signingSecret}"\n`;
  assert.equal((await setup([...flags, '--secrets-stdin'], {}, stdin('SLACK_CLIENT_SECRET=x'))).exitCode, 2);
  assert.equal((await setup([...flags, '--secrets-stdin'], {}, stdin(lines))).exitCode, 0);
  assert.equal(written().SLACK_SIGNING_SECRET, signingSecret);
});

test('setup that cannot ask says what it needs, and writes nothing', async (t) => {
  const { folder, setup } = await prepare(t);
  const wrong: [string[], Record<string, string>, RegExp][] = [
    [[], {}, /--public-url, --client-id, SLACK_CLIENT_SECRET .*SLACK_SIGNING_SECRET/],
    [flags, { SLACK_CLIENT_SECRET: clientSecret }, /still needs SLACK_SIGNING_SECRET/],
    [['--public-url', 'foyer.example.com', ...flags.slice(2)], secrets, /is not an http\(s\) address/],
    [
      ['--public-url', 'https://example.com/foyer', ...flags.slice(2)],
      secrets,
      /more than scheme, host and port/,
    ],
    [flags, { ...secrets, SLACK_CLIENT_SECRET: 'two words' }, /^SLACK_CLIENT_SECRET .*spaces or line ends/],
  ];
  for (const [commandLine, environment, reason] of wrong) {
    const { exitCode, stdout, stderr } = await setup(commandLine, environment);
    assert.deepEqual([exitCode, stdout], [2, ''], commandLine.join(' '));
    assert.match(stderr, reason);
  }
  assert.deepEqual(readdirSync(folder), []);
});

test('setup asks for what is missing, in order, and accepts no wrong answer', async (t) => {
  const { setup, written } = await prepare(t);
  const script = scripted([
    'foyer.example.com',
    'https://foyer.example.com',
    ' 12.34 ',
    '',
    clientSecret,
    clientSecret,
    signingSecret,
    true,
  ]);
  const { exitCode, stdout, stderr } = await setup(['--no-doctor'], {}, { prompts: script.prompts });
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(
    script.asked.map((question) => question.split(' (')[0]),
    [
      'What is the address at which browsers and Slack will reach Foyer?',
      'Client ID',
      'Client Secret',
      'Signing Secret',
      'Will this Foyer serve real workspaces',
    ],
  );
  assert.deepEqual(script.refused.length, 3);
  assert.match(script.told[0] ?? '', /https:\/\/api\.slack\.com\/apps\?new_app=1&manifest_json=%7B/);
  assert.match(stdout, /Next: npm start, and open https:\/\/foyer\.example\.com/);
  assert.match(stdout, /Manage Distribution[\s\S]*from a second workspace/);
  const { SLACK_CLIENT_ID, NODE_ENV } = written();
  assert.deepEqual([SLACK_CLIENT_ID, NODE_ENV], ['12.34', 'production']);
});

test('setup asks whether to keep the secrets that are set, and asks for all of them if not', async (t) => {
  const { env, setup, written } = await prepare(t);
  writeFileSync(env, `SLACK_CLIENT_ID=9.9\nSLACK_CLIENT_SECRET=of-another\nSLACK_SIGNING_SECRET=of-it-too\n`);
  const kept = scripted(['http://localhost:3000', true]);
  assert.equal((await setup(['--no-doctor'], {}, { prompts: kept.prompts })).exitCode, 0);
  assert.match(kept.asked[1] ?? '', /^Keep the secrets that are already set for the app 9\.9/);
  assert.equal(written().SLACK_CLIENT_SECRET, 'of-another');
  const anew = scripted(['http://localhost:3000', false, '12.34', clientSecret, signingSecret]);
  assert.equal((await setup(['--no-doctor'], {}, { prompts: anew.prompts })).exitCode, 0);
  const { SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_SIGNING_SECRET } = written();
  assert.deepEqual(
    [SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_SIGNING_SECRET],
    ['12.34', clientSecret, signingSecret],
  );
});

test('setup gives advice for an address without https', async (t) => {
  const { setup } = await prepare(t);
  const script = scripted(['http://localhost:3000', '12.34', clientSecret, signingSecret]);
  assert.equal((await setup(['--no-doctor'], {}, { prompts: script.prompts })).exitCode, 0);
  assert.match(script.told[0] ?? '', /not https.*tunnel/);
});

test('setup writes nothing when it is cancelled, at any question', async (t) => {
  const { folder, env, setup } = await prepare(t);
  const answers = ['https://foyer.example.com', '12.34', clientSecret, signingSecret];
  for (let given = 0; given < answers.length; given += 1) {
    const { prompts } = scripted([...answers.slice(0, given), undefined]);
    const { exitCode, stderr } = await setup(['--no-doctor'], {}, { prompts });
    assert.equal(exitCode, 1);
    assert.match(stderr, /Cancelled: nothing was written/);
    assert.deepEqual(readdirSync(folder), []);
  }
  writeFileSync(env, 'PORT=3100\n');
  writeFileSync(join(folder, 'slack-app-manifest.json'), 'the former one');
  const { prompts } = scripted(['https://foyer.example.com', undefined]);
  await setup(['--no-doctor'], {}, { prompts });
  assert.deepEqual(readdirSync(folder).sort(), ['.env', 'slack-app-manifest.json']);
  assert.equal(readFileSync(env, 'utf8'), 'PORT=3100\n');
  assert.equal(readFileSync(join(folder, 'slack-app-manifest.json'), 'utf8'), 'the former one');
});

test('setup that cannot write .env changes nothing', async (t) => {
  const { folder, env, setup } = await prepare(t);
  mkdirSync(env);
  const { exitCode, stderr } = await setup(flags, secrets, { readEnvironment: () => secrets });
  assert.equal(exitCode, 1);
  assert.match(stderr, /\.env could not be written: EISDIR/);
  assert.deepEqual(readdirSync(folder), ['.env']);
});

test('setup that cannot write the manifest changes nothing, and says where', async (t) => {
  const { folder, setup } = await prepare(t);
  mkdirSync(join(folder, 'slack-app-manifest.json'));
  const { exitCode, stdout, stderr } = await setup(flags, secrets);
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /slack-app-manifest\.json could not be written: EISDIR.*Nothing was changed/);
  assert.doesNotMatch(stderr, /bug in Foyer/);
  assert.deepEqual(readdirSync(folder), ['slack-app-manifest.json']);
});
