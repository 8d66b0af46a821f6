import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyringError } from '../../src/installations/keyring.ts';
import { startFoyer } from '../../src/serve.ts';
import { createVisitor, finishedRun, install } from '../../src/testing/visitor.ts';
import { keysOf } from '../support/installations.ts';
import { recordingLogger, setStage } from '../support/start-foyer.ts';

for (const engine of ['SQLite', 'Postgres'] as const) {
  test(`a second Foyer with other keys cannot start while the first runs; once the first has stored a token, the second cannot start at all (${engine})`, async (t) => {
    const [one] = keysOf('one');
    const stage = await setStage({
      engine,
      environment: { TOKEN_ENCRYPTION_KEYS: `one:${one?.base64}` },
    });
    t.after(() => stage.close());
    const { log } = recordingLogger(stage.config);
    const second = {
      ...stage.config,
      encryptionKeys: keysOf('two'),
      http: { ...stage.config.http, port: 0 },
    };
    // If the second Foyer starts although it must not, stop it: the test then fails instead of running forever.
    const startSecond = async (): Promise<void> => (await startFoyer(second, log)).stop();
    const isRefused = (error: unknown): boolean =>
      error instanceof KeyringError && /the key one, which is missing/.test(error.message);
    await assert.rejects(startSecond, isRefused);

    const visitor = createVisitor();
    const { sandbox, url } = stage;
    const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
    const answer = await install(visitor, url, sandbox, acme);
    const run = await finishedRun(visitor, url + answer.headers.get('location'));
    assert.equal(run.status, 'succeeded');
    await assert.rejects(startSecond, isRefused);
    await stage.stop();
    assert.deepEqual(await stage.database.rows('select process from key_holders'), []);
    await assert.rejects(startSecond, isRefused);
    await stage.start();
  });
}
