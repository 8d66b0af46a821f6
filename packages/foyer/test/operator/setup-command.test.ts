import assert from 'node:assert/strict';
import fs, {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { parse as parseDotenv } from 'dotenv';
import { parseConfig } from '../../src/config/config.ts';
import { fillManifest } from '../../src/operator/fill-manifest.ts';
import { loadExistingKeyring } from '../../src/operator/open-existing-database.ts';
import { withFace } from '../../src/operator/setup/app-face.ts';
import { browserProgram } from '../../src/operator/setup/open-browser.ts';
import type { SetupPrompts, SetupQuestion } from '../../src/operator/setup/setup-prompts.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { createOperatorHarness, type RunOptions } from './operator-harness.ts';

const clientSecret = 'c1d2e3f4'.repeat(4);
const signingSecret = 'a9b8c7d6'.repeat(4);
const flags = ['--public-url', 'https://foyer.example.com/', '--client-id', '12.34', '--no-doctor'];
const secrets = { SLACK_CLIENT_SECRET: clientSecret, SLACK_SIGNING_SECRET: signingSecret };

/**
 * Makes an empty folder in which `setup` runs. The environment of `setup` is the .env of that folder, and the given
 * variables, which override it.
 */
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

/** Empty answers to the two questions about links. */
const noLinks = ['', ''];

/** Prompts that give these answers in turn (undefined stands for Ctrl-C), and record what is shown and asked. */
function scripted(answers: (string | boolean | undefined)[]) {
  const asked: string[] = [];
  const shown: string[] = [];
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
  const suggested: (string | undefined)[] = [];
  const prompts: SetupPrompts = {
    async text(question) {
      suggested.push(question.initialValue);
      return answer(question);
    },
    secret: async (question) => answer(question),
    async confirm({ message }) {
      asked.push(message);
      const given = answers.shift();
      return typeof given === 'boolean' ? given : undefined;
    },
    tell: (_title, lines) => void shown.push(lines),
  };
  return { prompts, asked, suggested, shown, refused };
}

test('`setup` in a script writes an .env that Foyer accepts', async (t) => {
  const { folder, env, setup, written } = await prepare(t);
  // Here, as in a clone, `setup` finds an .env.example and writes .env as a changed copy of it. Without that file,
  // `setup` would write .env from nothing.
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

test('`setup` backs up an existing .env, and changes only the lines of the variables that it sets', async (t) => {
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

test('`setup` generates no encryption key if there is a key file, and keeps an .env that is a symbolic link', async (t) => {
  const { folder, env, setup, written } = await prepare(t);
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data/foyer.db.key'), 'in use');
  writeFileSync(join(folder, 'real.env'), 'PORT=3100\n');
  symlinkSync('real.env', env);
  assert.equal((await setup(flags, secrets)).exitCode, 0);
  assert.equal(written().TOKEN_ENCRYPTION_KEYS, undefined);
  assert.match(readFileSync(join(folder, 'real.env'), 'utf8'), /^PORT=3100\nPUBLIC_URL=/);
});

test('`setup --secrets-stdin` reads the secrets from stdin, and exits with code 2 if one is missing', async (t) => {
  const { setup, written } = await prepare(t);
  const stdin = (text: string) => ({ readStdin: async () => text });
  const lines = `SLACK_CLIENT_SECRET=${clientSecret}\nSLACK_SIGNING_SECRET="${signingSecret}"\n`;
  assert.equal((await setup([...flags, '--secrets-stdin'], {}, stdin('SLACK_CLIENT_SECRET=x'))).exitCode, 2);
  assert.equal((await setup([...flags, '--secrets-stdin'], {}, stdin(lines))).exitCode, 0);
  assert.equal(written().SLACK_SIGNING_SECRET, signingSecret);
});

test('`setup` in a script names each value that is missing or wrong, and writes nothing', async (t) => {
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
    [flags, { ...secrets, SLACK_CLIENT_SECRET: 'two words' }, /^SLACK_CLIENT_SECRET .*spaces or line breaks/],
  ];
  for (const [commandLine, environment, reason] of wrong) {
    const { exitCode, stdout, stderr } = await setup(commandLine, environment);
    assert.deepEqual([exitCode, stdout], [2, ''], commandLine.join(' '));
    assert.match(stderr, reason);
  }
  assert.deepEqual(readdirSync(folder), []);
});

test('`setup` asks for the missing values in order, and asks again after an invalid answer', async (t) => {
  const { setup, written } = await prepare(t);
  const script = scripted([
    'foyer.example.com/privacy',
    'https://foyer.example.com/privacy',
    '',
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
      'Where is your privacy policy?',
      'Where do people get help?',
      'What is the address at which browsers and Slack will reach Foyer?',
      'Client ID',
      'Client Secret',
      'Signing Secret',
      'Will this Foyer serve real workspaces',
    ],
  );
  assert.deepEqual(script.refused.length, 4);
  assert.match(script.shown[0] ?? '', /https:\/\/api\.slack\.com\/apps\?new_app=1&manifest_json=%7B/);
  assert.match(stdout, /Next: start Foyer \(npm start\), and open https:\/\/foyer\.example\.com/);
  assert.match(stdout, /Manage Distribution[\s\S]*in a second workspace/);
  const { SLACK_CLIENT_ID, NODE_ENV, PRIVACY_URL, SUPPORT_URL } = written();
  assert.deepEqual([SLACK_CLIENT_ID, NODE_ENV], ['12.34', 'production']);
  assert.deepEqual([PRIVACY_URL, SUPPORT_URL], ['https://foyer.example.com/privacy', undefined]);
});

test('`setup` asks whether to keep the existing secrets, and asks for all of them if the user says no', async (t) => {
  const { env, setup, written } = await prepare(t);
  writeFileSync(env, `SLACK_CLIENT_ID=9.9\nSLACK_CLIENT_SECRET=of-another\nSLACK_SIGNING_SECRET=of-it-too\n`);
  const kept = scripted([...noLinks, 'http://localhost:3000', true]);
  assert.equal((await setup(['--no-doctor'], {}, { prompts: kept.prompts })).exitCode, 0);
  assert.match(kept.asked[3] ?? '', /^Keep the secrets that are already set for the app 9\.9/);
  assert.equal(written().SLACK_CLIENT_SECRET, 'of-another');
  const again = scripted([...noLinks, 'http://localhost:3000', false, '12.34', clientSecret, signingSecret]);
  assert.equal((await setup(['--no-doctor'], {}, { prompts: again.prompts })).exitCode, 0);
  const { SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_SIGNING_SECRET } = written();
  assert.deepEqual(
    [SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_SIGNING_SECRET],
    ['12.34', clientSecret, signingSecret],
  );
});

test('`setup` refuses a client id that is not two numbers with a dot, and asks again', async (t) => {
  const { folder, env, setup, written } = await prepare(t);
  const wrong = ['https://api.slack.com/apps/A012AB3CD', 'A012AB3CD', '12.34.56', clientSecret];
  for (const id of wrong) {
    const { exitCode, stderr } = await setup([...flags, '--client-id', id], secrets);
    assert.equal(exitCode, 2, id);
    assert.match(stderr, /^The client id cannot be used\. A Client ID is two numbers with a dot/);
  }
  assert.deepEqual(readdirSync(folder), []);
  const asked = scripted([...noLinks, 'https://foyer.example.com', ...wrong, '1.1', false]);
  const { exitCode, stderr } = await setup(['--no-doctor'], secrets, { prompts: asked.prompts });
  assert.equal(exitCode, 0, stderr);
  assert.equal(asked.refused.length, wrong.length);
  assert.equal(written().SLACK_CLIENT_ID, '1.1');

  // An earlier `setup` may have written a wrong client id.
  writeFileSync(env, 'SLACK_CLIENT_ID=https://api.slack.com/apps/A012AB3CD\n');
  const again = scripted([...noLinks, 'https://foyer.example.com', '12.34', false]);
  assert.equal((await setup(['--no-doctor'], secrets, { prompts: again.prompts })).exitCode, 0);
  assert.equal(written().SLACK_CLIENT_ID, '12.34');
});

test('`setup` writes the port of a public URL on this machine to PORT, and says so', async (t) => {
  const { env, setup, written } = await prepare(t);
  const cases: [before: string, publicUrl: string, port: string | undefined][] = [
    ['', 'http://localhost:3100', '3100'],
    ['PORT=3000\n', 'http://127.0.0.1:3100', '3100'],
    ['PORT=3100\n', 'http://[::1]:3000', '3000'],
    ['', 'http://localhost:3000', undefined],
    // Behind a proxy, or if the URL has no port, Foyer may listen on a port that differs from the port of the URL.
    ['PORT=3000\n', 'https://localhost:8443', '3000'],
    ['PORT=3000\n', 'http://localhost', '3000'],
    ['PORT=3000\n', 'https://foyer.example.com:8443', '3000'],
  ];
  for (const [before, publicUrl, port] of cases) {
    writeFileSync(env, before);
    const { exitCode, stdout } = await setup([...flags, '--public-url', publicUrl], secrets);
    assert.equal(exitCode, 0);
    assert.equal(written().PORT, port, publicUrl);
    const isChanged = port !== undefined && !before.includes(port);
    assert.equal(stdout.includes(`PORT is now ${port}`), isChanged, stdout);
  }
});

test('`setup` recommends a tunnel for an address without https', async (t) => {
  const { setup } = await prepare(t);
  const script = scripted([...noLinks, 'http://localhost:3000', '12.34', clientSecret, signingSecret]);
  assert.equal((await setup(['--no-doctor'], {}, { prompts: script.prompts })).exitCode, 0);
  assert.match(script.shown[0] ?? '', /not https.*tunnel/);
});

test('`setup` writes nothing if the user cancels it, no matter at which question', async (t) => {
  const { folder, env, setup } = await prepare(t);
  const answers = [...noLinks, 'https://foyer.example.com', '12.34', clientSecret, signingSecret];
  for (let given = 0; given < answers.length; given += 1) {
    const { prompts } = scripted([...answers.slice(0, given), undefined]);
    const { exitCode, stderr } = await setup(['--no-doctor'], {}, { prompts });
    assert.equal(exitCode, 1);
    assert.match(stderr, /Canceled\. Nothing was changed\./);
    assert.deepEqual(readdirSync(folder), []);
  }
  writeFileSync(env, 'PORT=3100\n');
  writeFileSync(join(folder, 'slack-app-manifest.json'), 'the former one');
  const { prompts } = scripted([...noLinks, 'https://foyer.example.com', undefined]);
  await setup(['--no-doctor'], {}, { prompts });
  assert.deepEqual(readdirSync(folder).sort(), ['.env', 'slack-app-manifest.json']);
  assert.equal(readFileSync(env, 'utf8'), 'PORT=3100\n');
  assert.equal(readFileSync(join(folder, 'slack-app-manifest.json'), 'utf8'), 'the former one');
});

test('`setup` changes nothing if it cannot write .env', async (t) => {
  const { folder, env, setup } = await prepare(t);
  mkdirSync(env);
  const { exitCode, stderr } = await setup(flags, secrets, { readEnvironment: () => secrets });
  assert.equal(exitCode, 1);
  assert.match(stderr, /\.env could not be written: EISDIR/);
  assert.deepEqual(readdirSync(folder), ['.env']);
});

test('`setup` names the manifest file and changes nothing if it cannot write that file', async (t) => {
  const { folder, setup } = await prepare(t);
  mkdirSync(join(folder, 'slack-app-manifest.json'));
  const { exitCode, stdout, stderr } = await setup(flags, secrets);
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, /slack-app-manifest\.json could not be written: EISDIR.*Nothing was changed/);
  assert.doesNotMatch(stderr, /bug in Foyer/);
  assert.deepEqual(readdirSync(folder), ['slack-app-manifest.json']);
});

/** Prepares an app with its own manifest file. */
async function prepareApp(t: TestContext, manifest = fixtureManifest) {
  const prepared = await prepare(t);
  const manifestFile = join(prepared.folder, 'manifest.json');
  writeFileSync(manifestFile, manifest);
  const options = { manifestFile, readManifest: () => readFileSync(manifestFile, 'utf8') };
  return { ...prepared, manifestFile, options };
}

const appAnswers = ['http://localhost:3000', '12.34', clientSecret, signingSecret];

test('`setup` asks for the name, description, color and links of the app, and writes them to manifest.json and .env', async (t) => {
  const { folder, env, setup, written, manifestFile, options } = await prepareApp(t);
  const privacy = 'https://standup.example/privacy';
  writeFileSync(env, `PRIVACY_URL=https://old.example\nSUPPORT_URL=mailto:old@standup.example\n`);
  const script = scripted([
    ...['  ', 'S'.repeat(36), ' Stand "up" '],
    ...['d'.repeat(141), 'Three questions a day.'],
    ...['orange', '#f80', '#ffee00'],
    ...['standup.example', privacy],
    ...['help@standup.example', ''],
    ...appAnswers,
  ]);
  const { exitCode, stdout, stderr } = await setup(
    ['--no-doctor'],
    {},
    { ...options, prompts: script.prompts },
  );
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(script.suggested.slice(0, 5), [
    'Foyer',
    'A welcome done well: install, say hello, and show the install record.',
    '#1f4d3f',
    'https://old.example',
    'mailto:old@standup.example',
  ]);
  assert.equal(script.refused.length, 7, script.refused.join('\n'));
  assert.match(script.shown[0] ?? '', /#ffee00.*4\.5 : 1.*#[0-9a-f]{6} on light pages/);
  assert.match(script.shown.join('\n'), /long_description in manifest\.json still mentions Foyer/);
  assert.match(stdout, /^Wrote \.env .*manifest\.json and /);
  assert.deepEqual([written().PRIVACY_URL, written().SUPPORT_URL], [privacy, '']);
  // Every other character of the file is unchanged.
  const expected = fixtureManifest
    .replace('"name": "Foyer"', String.raw`"name": "Stand \"up\""`)
    .replace('"display_name": "Foyer"', String.raw`"display_name": "Stand \"up\""`)
    .replace(/"description": "A welcome[^"]*"/, '"description": "Three questions a day."')
    .replace('#1f4d3f', '#ffee00');
  assert.equal(readFileSync(manifestFile, 'utf8'), expected);
  const filled = JSON.parse(readFileSync(join(folder, 'slack-app-manifest.json'), 'utf8'));
  assert.equal(filled.display_information.name, 'Stand "up"');

  // The second time, `setup` suggests what was entered the first time.
  const current = ['Stand "up"', 'Three questions a day.', '#ffee00', privacy, ''];
  const again = scripted([...current, 'http://localhost:3000', true]);
  await setup(['--no-doctor'], {}, { ...options, prompts: again.prompts });
  assert.deepEqual(again.suggested.slice(0, 5), current);
  assert.equal(readFileSync(manifestFile, 'utf8'), expected);
});

test('`setup` edits a minified manifest with braces inside its strings, and keeps the fields that it does not ask for', async (t) => {
  const odd =
    '{"features":{"bot_user":{"display_name":"Bot }"}},"display_information":{"a}":"{","name":"Old"}}';
  const { setup, manifestFile, options } = await prepareApp(t, odd);
  const { prompts, suggested } = scripted(['New', '', '#123456', ...noLinks, ...appAnswers]);
  assert.equal((await setup(['--no-doctor'], {}, { ...options, prompts })).exitCode, 0);
  assert.deepEqual(suggested.slice(0, 3), ['Old', '', '#1f5a47']);
  assert.deepEqual(JSON.parse(readFileSync(manifestFile, 'utf8')), {
    features: { bot_user: { display_name: 'Bot }' } },
    display_information: { 'a}': '{', name: 'New', background_color: '#123456' },
  });
});

test('`setup` leaves manifest.json unchanged if the user cancels or .env cannot be written', async (t) => {
  const { folder, setup, manifestFile, options } = await prepareApp(t);
  const answers = ['New', 'What it does', '#123456', ...noLinks, ...appAnswers];
  for (let given = 0; given < answers.length; given += 1) {
    const { prompts } = scripted([...answers.slice(0, given), undefined]);
    assert.equal((await setup(['--no-doctor'], {}, { ...options, prompts })).exitCode, 1);
    assert.equal(readFileSync(manifestFile, 'utf8'), fixtureManifest);
    assert.deepEqual(readdirSync(folder), ['manifest.json']);
  }
  chmodSync(manifestFile, 0o444);
  mkdirSync(join(folder, '.env'));
  const { prompts } = scripted(['New', 'What it does', '#123456', ...noLinks, ...appAnswers]);
  const readEnvironment = () => ({});
  await setup(['--no-doctor'], {}, { ...options, prompts, readEnvironment });
  assert.equal(readFileSync(manifestFile, 'utf8'), fixtureManifest);
});

test('`setup` does not ask for a link that the app’s `brand` option sets, and says that `brand` also overrides the name', async (t) => {
  const { setup, options } = await prepareApp(t);
  const { prompts, asked, shown } = scripted(['Foyer', '', '#123456', '', ...appAnswers]);
  const brand = { name: 'Standup', privacyUrl: 'https://standup.example/privacy' };
  assert.equal((await setup(['--no-doctor'], {}, { ...options, brand, prompts })).exitCode, 0);
  assert.deepEqual(asked.filter((question) => /privacy|help/.test(question)).length, 1);
  assert.match(shown.join('\n'), /sets brand\.name: /);
});

test('`setup` offers to open Slack’s page in the browser, but not in CI, without a display or with --no-open', async (t) => {
  const { folder, env, setup } = await prepare(t);
  const opened = join(folder, 'opened');
  writeFileSync(
    join(folder, 'xdg-open'),
    `#!/bin/sh\nprintf %s "$1" > '${opened}.part' && mv '${opened}.part' '${opened}'\n`,
  );
  chmodSync(join(folder, 'xdg-open'), 0o755);
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
  });
  process.env.PATH = `${folder}:${path}`;
  const display = { DISPLAY: ':0' };
  const open = async (
    environment: Record<string, string>,
    answers: (boolean | undefined)[],
    ...flag: string[]
  ) => {
    const script = scripted([
      ...noLinks,
      'http://localhost:3000',
      ...answers,
      '12.34',
      clientSecret,
      signingSecret,
    ]);
    rmSync(env, { force: true });
    const end = await setup(['--no-doctor', ...flag], environment, { prompts: script.prompts });
    return {
      ...end,
      wasOffered: script.asked.some((question) => /browser\?/.test(question)),
      shown: script.shown,
    };
  };
  const { shown } = await open(display, [true]);
  while (!existsSync(opened)) await setTimeout(10);
  const url = readFileSync(opened, 'utf8');
  assert.match(url, /^https:\/\/api\.slack\.com\/apps\?new_app=1&manifest_json=/);
  assert.ok(shown.some((lines) => lines.includes(url)));
  rmSync(opened);
  assert.deepEqual([(await open(display, [false])).exitCode, existsSync(opened)], [0, false]);
  assert.equal((await open(display, [undefined])).exitCode, 1, 'cancelled');
  for (const [environment, ...flag] of [
    [{ ...display, CI: 'true' }],
    [{}],
    [display, '--no-open'],
  ] as const) {
    assert.equal((await open(environment, [], ...flag)).wasOffered, false);
  }
  // If the machine has no program that opens a browser, `setup` continues: it has shown the link.
  process.env.PATH = '/nonexistent';
  assert.equal((await open(display, [true])).exitCode, 0);
});

test('browserProgram returns each operating system’s command to open a browser, and nothing in CI', () => {
  assert.deepEqual(browserProgram('darwin', {}), ['open']);
  assert.deepEqual(browserProgram('win32', {}), ['rundll32', 'url.dll,FileProtocolHandler']);
  assert.deepEqual(browserProgram('linux', { WAYLAND_DISPLAY: 'wayland-0' }), ['xdg-open']);
  assert.equal(browserProgram('darwin', { CI: '1' }), undefined);
});

test('`setup` fills in display_information if it is null in the manifest', () => {
  const face = { name: 'Standup', description: 'Asks what is due.', color: '#123456' };
  const { display_information } = JSON.parse(
    withFace('{"display_information": null, "features": null}', face),
  );
  const { name, description, color: background_color } = face;
  assert.deepEqual(display_information, { name, description, background_color });
});

/**
 * Makes `writeFileSync` behave as on a full disk: it writes only the first `bytes` of a text, and fails if the text is
 * longer.
 */
function fillDisk(t: TestContext, bytes: number): void {
  const { writeFileSync: reallyWrite } = fs;
  t.mock.method(fs, 'writeFileSync', (file: string, text: string) => {
    reallyWrite(file, text.slice(0, bytes));
    if (text.length > bytes)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}

test('`setup` leaves the manifest unchanged if the disk is full', async (t) => {
  const { folder, setup } = await prepare(t);
  const manifest = join(folder, 'slack-app-manifest.json');
  writeFileSync(manifest, 'the former one');
  fillDisk(t, 20);
  const { exitCode, stderr } = await setup(flags, secrets);
  assert.equal(exitCode, 1);
  assert.match(stderr, /slack-app-manifest\.json could not be written: ENOSPC.*Nothing was changed/);
  assert.deepEqual(readdirSync(folder), ['slack-app-manifest.json']);
  assert.equal(readFileSync(manifest, 'utf8'), 'the former one');
});

test('if the disk is full and `setup` cannot restore the manifest file, its message names the file', async (t) => {
  const { folder, setup } = await prepare(t);
  writeFileSync(join(folder, 'slack-app-manifest.json'), 'the former one');
  fillDisk(t, 5);
  const { exitCode, stderr } = await setup(flags, secrets);
  assert.equal(exitCode, 1);
  assert.match(stderr, /could not be written: ENOSPC.*Could not be restored: \S+slack-app-manifest\.json\./);
});

/** The answers of a person who cancels once `setup` has written the manifest. */
const cancelledAfterAddress = [
  'New',
  'What it does',
  '#123456',
  ...noLinks,
  'https://foyer.example.com',
  undefined,
];

test('a cancelled `setup` restores an app’s own manifest, even if that manifest is slack-app-manifest.json, which `setup` writes', async (t) => {
  const { folder, setup, options } = await prepareApp(t);
  const manifestFile = join(folder, 'slack-app-manifest.json');
  writeFileSync(manifestFile, fixtureManifest);
  const readManifest = (): string => readFileSync(manifestFile, 'utf8');
  const { prompts } = scripted([...cancelledAfterAddress]);
  await setup(['--no-doctor', '--no-open'], {}, { ...options, manifestFile, readManifest, prompts });
  assert.equal(readManifest(), fixtureManifest);
});

test('a cancelled `setup` names the manifest that it could not restore', async (t) => {
  const { setup, manifestFile, options } = await prepareApp(t);
  const { prompts } = scripted([...cancelledAfterAddress]);
  const tell = (title: string, lines: string): void => {
    prompts.tell(title, lines);
    if (title === 'Create the app') fillDisk(t, 5);
  };
  const { exitCode, stderr } = await setup(
    ['--no-doctor', '--no-open'],
    {},
    { ...options, prompts: { ...prompts, tell } },
  );
  assert.equal(exitCode, 1);
  assert.ok(stderr.includes(`Canceled. Could not be restored: ${manifestFile}.`), stderr);
});

test('`setup` keeps the manifest’s symbolic link and file mode when it writes or restores the manifest', async (t) => {
  const { folder, setup } = await prepare(t);
  const [link, target] = [join(folder, 'slack-app-manifest.json'), join(folder, 'shared.json')];
  writeFileSync(target, 'the former one', { mode: 0o640 });
  symlinkSync(target, link);
  const shape = () => [lstatSync(link).isSymbolicLink(), statSync(target).mode & 0o777];
  mkdirSync(join(folder, '.env'));
  assert.equal((await setup(flags, secrets, { readEnvironment: () => secrets })).exitCode, 1);
  assert.deepEqual([readFileSync(target, 'utf8'), ...shape()], ['the former one', true, 0o640]);
  rmSync(join(folder, '.env'), { recursive: true });
  assert.equal((await setup(flags, secrets)).exitCode, 0);
  assert.match(readFileSync(target, 'utf8'), /oauth_redirect/);
  assert.deepEqual(shape(), [true, 0o640]);
});

test('if the manifest is a dangling link, `setup` writes the file to which it points, and removes that file if .env cannot be written', async (t) => {
  const { folder, setup } = await prepare(t);
  const link = join(folder, 'slack-app-manifest.json');
  symlinkSync(join(folder, 'no-folder', 'shared.json'), link);
  const refused = await setup(flags, secrets, { readEnvironment: () => secrets });
  assert.match(refused.stderr, /slack-app-manifest\.json could not be written: ENOENT.*Nothing was changed/);
  rmSync(link);
  symlinkSync(join(folder, 'shared.json'), link);
  mkdirSync(join(folder, '.env'));
  const { stderr } = await setup(flags, secrets, { readEnvironment: () => secrets });
  assert.match(stderr, /Nothing was changed/);
  assert.deepEqual(readdirSync(folder).sort(), ['.env', 'slack-app-manifest.json']);
});
