import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { openDatabase } from '../../src/database/open-database.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { teamInstall } from '../support/installations.ts';

/**
 * A script that tests run as a separate process. It installs the app in one team again and again, and reads the
 * person's token after each install. It prints `done` if no call failed and no token was lost. Usage:
 *
 *   node install-often.ts <database, as JSON> <key, base64> <name> <rounds> \
 *     <key id, default k1> <id:key to decrypt only>…
 */
const [target = '', base64 = '', name = '', rounds = '0', keyId = 'k1', ...others] = process.argv.slice(2);
const decrypting = others.map((other) => {
  const [id = '', key = ''] = other.split(':');
  return { id, base64: key };
});
const database = await openDatabase(JSON.parse(target));
const store = createInstallationStore({
  database,
  keyring: createKeyring([{ id: keyId, base64 }, ...decrypting]),
  clientId: '1.1',
  stepNames: ['first-step', 'second-step'],
  now: Date.now,
  log: pino({ level: 'silent' }),
});
for (let round = 0; round < Number(rounds); round += 1) {
  const token = `${name}-${round}`;
  const install = { botToken: `xoxb-${token}`, userToken: `xoxp-${token}`, userId: `U${name}` };
  const { installationId } = await store.recordInstall(teamInstall(install), { patienceMs: 20_000 });
  // Another process may have read the old tokens before this install. This wait gives it time to write them back.
  await delay(5);
  const read = await store.readInstallation(installationId, `U${name}`);
  assert.equal(read?.installation.user.token, `xoxp-${token}`);
}
await database.close();
console.log('done');
