import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createKeyring, type Keyring, KeyringError, loadKeyring } from '../../src/installations/keyring.ts';
import { createSealer, KeyMissingError, SealBrokenError } from '../../src/installations/sealer.ts';
import { loadOrCreateKeyring, verifyKeyring } from '../../src/installations/verify-keyring.ts';
import { keyringOf, keysOf, teamInstall } from '../support/installations.ts';
import { openTestDatabase, type TestDatabase } from '../support/open-test-database.ts';

const run = promisify(execFile);

describe('the keyring', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foyer-keys-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const configFor = (file: string) => ({
    encryptionKeys: undefined,
    database: { kind: 'sqlite' as const, file: join(folder, file) },
  });

  it('loading the keyring from the configuration keeps the order of the keys, and writes no file', async () => {
    const config = { ...configFor('given.db'), encryptionKeys: keysOf('new', 'old') };
    assert.deepEqual(loadKeyring({ config }).ids, ['new', 'old']);
    assert.deepEqual(await readdir(folder), []);
  });

  it('the first load of the keyring creates a key file that only its owner can read, and the next load uses it', async () => {
    const config = configFor('own.db');
    const first = loadKeyring({ config });
    const again = loadKeyring({ config });
    assert.deepEqual(again.ids, first.ids);
    const sealed = createSealer({ keyring: first, purpose: 'p' }).seal('text', 'place');
    assert.equal(createSealer({ keyring: again, purpose: 'p' }).open(sealed, 'place'), 'text');
    const file = join(folder, 'own.db.key');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.match(await readFile(file, 'utf8'), /^local-[0-9a-f]{8}:[A-Za-z0-9+/]{43}=\n$/);
    assert.deepEqual(await readdir(folder), ['own.db.key'], 'no draft is left');
  });

  it('if others can read the key file, loading the keyring makes the file private, and warns', async () => {
    const config = configFor('shared.db');
    const warnings: string[] = [];
    const warn = (text: string): void => void warnings.push(text);
    const { ids } = loadKeyring({ config, warn });
    assert.deepEqual(warnings, []);
    const file = join(folder, 'shared.db.key');
    for (const mode of [0o640, 0o604]) {
      await chmod(file, mode);
      assert.deepEqual(loadKeyring({ config, warn }).ids, ids);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
    }
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /could read the key file .*shared\.db\.key/);
    await rm(file);
  });

  it('processes that start at the same time get the same keyring', async () => {
    const source = new URL('../../src/installations/keyring.ts', import.meta.url).href;
    const config = JSON.stringify({ database: { kind: 'sqlite', file: join(folder, 'deep', 'shared.db') } });
    const code = `import(${JSON.stringify(source)}).then(({ loadKeyring }) =>
      console.log(loadKeyring({ config: ${config} }).ids.join()))`;
    const outputs = await Promise.all(Array.from({ length: 6 }, () => run(process.execPath, ['-e', code])));
    assert.equal(new Set(outputs.map(({ stdout }) => stdout)).size, 1);
    assert.deepEqual(await readdir(join(folder, 'deep')), ['shared.db.key']);
  });

  it('the keyring refuses a damaged key file with an error that does not quote its content', async () => {
    const secret = randomBytes(30).toString('base64');
    for (const [text, problem] of [
      ['', /it is empty/],
      ['nonsense', /its line 1 is not id:base64/],
      [`main:${secret}\n`, /its line 1 is not id:base64/],
      ['\n\nnonsense', /its line 3 is not id:base64/],
    ] as const) {
      await writeFile(join(folder, 'bad.db.key'), text);
      assert.throws(
        () => loadKeyring({ config: configFor('bad.db') }),
        (error: Error) =>
          error instanceof KeyringError && problem.test(error.message) && !error.message.includes(secret),
      );
    }
  });

  it('the keyring refuses a key file that is a folder or a pipe, and does not block on the pipe', async () => {
    const config = configFor('pipe.db');
    await run('mkfifo', [`${config.database.file}.key`]);
    await mkdir(join(folder, 'folder.db.key'));
    assert.throws(
      () => loadKeyring({ config: configFor('folder.db') }),
      /folder\.db\.key cannot be used: it is/,
    );
    const source = new URL('../../src/installations/keyring.ts', import.meta.url).href;
    // Loads the keyring in a separate process, which can be killed if the system call waits forever.
    const code = `import(${JSON.stringify(source)})
      .then(({ loadKeyring }) => loadKeyring({ config: ${JSON.stringify(config)} }))
      .catch((error) => console.log(error.code, error.message))`;
    const { stdout } = await run(process.execPath, ['-e', code], { timeout: 20_000 });
    assert.match(stdout, /^keyring_unusable .*pipe\.db\.key cannot be used: it is not a regular file;/);
  });

  it('the keyring reads several keys from a key file, one from each line, in their order', async () => {
    const lines = keysOf('new', 'old').map(({ id, base64 }) => `${id}:${base64}`);
    await writeFile(join(folder, 'two.db.key'), `${lines.join('\n')}\n`);
    assert.deepEqual(loadKeyring({ config: configFor('two.db') }).ids, ['new', 'old']);
  });

  it('the keyring requires TOKEN_ENCRYPTION_KEYS on Postgres', () => {
    const database = { kind: 'postgres' as const, url: 'postgres://localhost/foyer' };
    const config = { encryptionKeys: undefined, database };
    assert.throws(() => loadKeyring({ config }), /TOKEN_ENCRYPTION_KEYS/);
  });

  it('the keyring refuses an empty list of keys, two keys with one id, and a key of a wrong length', () => {
    assert.throws(() => createKeyring([]), KeyringError);
    assert.throws(() => createKeyring([...keysOf('a'), ...keysOf('a')]), KeyringError);
    assert.throws(() => createKeyring([{ id: 'short', base64: 'AAAA' }]), /short does not have 32 bytes/);
  });
});

describe('when Foyer starts, it loads the keyring', () => {
  let folder: string;
  let opened: TestDatabase;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foyer-keys-'));
    opened = await openTestDatabase();
  });
  after(async () => {
    await opened.close();
    await rm(folder, { recursive: true });
  });
  const config = (name: string) => ({
    encryptionKeys: undefined,
    database: { kind: 'sqlite' as const, file: join(folder, name) },
  });
  const holder = { process: 'host-1 4711 0123abcd' };

  it('if nothing is encrypted yet, Foyer creates a key file when it starts, even if an earlier key file was lost', async () => {
    const { database } = opened;
    const first = await loadOrCreateKeyring(database.queries, { config: config('first.db') });
    await verifyKeyring(database, first);
    const again = await loadOrCreateKeyring(database.queries, { config: config('again.db') });
    assert.notDeepEqual(again.ids, first.ids);
    await verifyKeyring(database, again);
  });

  it('while one Foyer runs, another can start only with the same key file, and a refused start creates no key file', async () => {
    const { database } = opened;
    const running = await loadOrCreateKeyring(database.queries, { config: config('running.db') });
    await verifyKeyring(database, running, holder);
    await assert.rejects(
      loadOrCreateKeyring(database.queries, { config: config('second.db') }),
      /^KeyringError: The key file \S+second\.db\.key is missing\. Another Foyer .*process 4711 on host-1/,
    );
    assert.deepEqual(
      (await loadOrCreateKeyring(database.queries, { config: config('running.db') })).ids,
      running.ids,
    );
    const later = { config: config('later.db'), now: () => Date.now() + 100_000 };
    await loadOrCreateKeyring(database.queries, later);
    assert.equal((await readdir(folder)).includes('second.db.key'), false);
  });

  it('if the database contains tokens but their key file is missing, a start is refused and creates no key file', async () => {
    const { database } = opened;
    const keyring = keyringOf('lost');
    const deps = { database, clientId: '1.1', stepNames: [], now: Date.now, log: pino({ level: 'silent' }) };
    await createInstallationStore({ ...deps, keyring }).storeInstallation(teamInstall());
    // Even if the record of the keys is lost too, Foyer must refuse to start: the tokens name the missing key.
    await database.queries.deleteFrom('encryption_keys').execute();
    const later = { config: config('lost.db'), now: () => Date.now() + 100_000 };
    await assert.rejects(loadOrCreateKeyring(database.queries, later), (error) => {
      assert.ok(error instanceof KeyringError);
      assert.match(
        error.message,
        /^The key file \S+lost\.db\.key is missing\. .*the key lost, which is missing/,
      );
      return true;
    });
    assert.equal((await readdir(folder)).includes('lost.db.key'), false);
  });
});

describe('a sealer', () => {
  const keyring = keyringOf('k1');
  const sealer = createSealer({ keyring, purpose: 'tokens' });

  it('a sealer opens each text that it has sealed, and seals the same text differently each time', () => {
    for (const text of ['', 'xoxb-1', 'ünï 🏨', 'x'.repeat(100_000)]) {
      const sealed = sealer.seal(text, 'here');
      assert.match(sealed, /^v1\.k1\.[A-Za-z0-9_-]+$/);
      assert.notEqual(sealer.seal(text, 'here'), sealed);
      assert.equal(sealer.open(sealed, 'here'), text);
    }
  });

  it('a sealed text can be opened only with the same purpose and the same place', () => {
    const sealed = sealer.seal('xoxb-1', 'here');
    assert.throws(() => sealer.open(sealed, 'there'), SealBrokenError);
    const other = createSealer({ keyring, purpose: 'state' });
    assert.throws(() => other.open(sealed, 'here'), SealBrokenError);
    assert.throws(() => other.open(sealed.replace('k1', 'k2'), 'here'), KeyMissingError);
  });

  it('a text that is sealed for the purpose “a” and the place “b” does not open for the purpose “ab” and an empty place', () => {
    const sealed = createSealer({ keyring, purpose: 'a' }).seal('text', 'b');
    assert.throws(() => createSealer({ keyring, purpose: 'ab' }).open(sealed, ''), SealBrokenError);
  });

  it('a sealer refuses a sealed text that is shortened, or in which a character is changed', () => {
    const sealed = sealer.seal('x', 'here');
    for (let length = 0; length < sealed.length; length += 1) {
      assert.throws(() => sealer.open(sealed.slice(0, length), 'here'), SealBrokenError, String(length));
    }
    for (let at = 'v1.k1.'.length; at < sealed.length - 1; at += 1) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      assert.throws(() => sealer.open(changed, 'here'), SealBrokenError, String(at));
    }
  });

  it('a sealer names a missing key and says what to do', () => {
    const sealed = createSealer({ keyring: keyringOf('lost'), purpose: 'tokens' }).seal('x', 'here');
    assert.throws(
      () => sealer.open(sealed, 'here'),
      (error) =>
        error instanceof KeyMissingError &&
        error.keyId === 'lost' &&
        /key lost, which is missing. Add it again/.test(error.message),
    );
  });
});

describe('verifying the keyring at the start', () => {
  let opened: TestDatabase;
  before(async () => {
    opened = await openTestDatabase();
  });
  after(() => opened.close());

  const install = async (keyring: Keyring) => {
    const { database } = opened;
    const deps = { database, clientId: '1.1', stepNames: [], now: Date.now, log: pino({ level: 'silent' }) };
    await createInstallationStore({ ...deps, keyring }).storeInstallation(teamInstall());
  };

  it('verifyKeyring accepts known and rotated keys, and refuses a missing key or a different key under a known id', async () => {
    const [oldKey, newKey, thirdKey] = keysOf('old', 'new', 'third');
    assert.ok(oldKey && newKey && thirdKey);
    const { database } = opened;
    const original = createKeyring([oldKey]);
    await verifyKeyring(database, original);
    await verifyKeyring(database, original);
    await install(original);
    await verifyKeyring(database, original);
    await verifyKeyring(database, createKeyring([newKey, oldKey]));

    await assert.rejects(
      verifyKeyring(database, keyringOf('old')),
      (error) => error instanceof KeyringError && /encryption key old is not the one/.test(error.message),
      'another key under a known id',
    );
    await assert.rejects(
      verifyKeyring(database, createKeyring([newKey])),
      (error) => error instanceof KeyringError && /with the key old, which is missing/.test(error.message),
      'a key that rows need',
    );
    await assert.rejects(
      verifyKeyring(database, createKeyring([newKey, ...keysOf('old')])),
      (error) => error instanceof KeyringError && /encryption key old is not the one/.test(error.message),
      'another key under a known id, behind the right first one',
    );
    await assert.rejects(verifyKeyring(database, createKeyring([thirdKey])), KeyringError);
    const recorded = await database.queries.selectFrom('encryption_keys').select('id').execute();
    assert.deepEqual(recorded.map((row) => row.id).sort(), ['new', 'old'], 'a refused start records nothing');
  });
});
