import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstallationTokens } from '../../src/database/installation-tokens.ts';
import { createKeyring } from '../../src/installations/keyring.ts';
import { createTokenCipher, openInstallation } from '../../src/installations/open-installation.ts';

const cipher = createTokenCipher({
  keyring: createKeyring([{ id: 'k', base64: Buffer.alloc(32, 1).toString('base64') }]),
});

function sealedBot(id: string, token: string): string {
  const bot = { token, scopes: [], id: 'B1', userId: 'UBOT' };
  return cipher.sealBot(id, { team: { id: 'T1' }, enterprise: undefined, bot, isEnterpriseInstall: false });
}

const row: InstallationTokens = {
  id: 'ins_1',
  tenant: 'team:T1',
  team_id: 'T1',
  team_name: 'Acme',
  enterprise_id: null,
  enterprise_name: null,
  is_enterprise_install: 0,
  app_id: 'A1',
  status: 'active',
  life: 1,
  version: 1,
  installer_user_id: 'U1',
  installed_at: 1,
  sealed_bot: sealedBot('ins_1', 'xoxb-1'),
  sealed_user: cipher.sealUser('ins_1', { id: 'U1', token: 'xoxp-1', scopes: [] }),
  user_version: 1,
};

/**
 * Opens the row `first`, changes the row, and opens it again. Returns the second result, and whether it reuses the
 * installation from the first opening.
 */
function openAfter(changed: Partial<InstallationTokens>, first = row) {
  const before = { row: first, installation: openInstallation(first, undefined, cipher) };
  const opened = openInstallation({ ...first, ...changed }, undefined, cipher, before);
  return { opened, isKept: opened.installation === before.installation.installation };
}

test('a decrypted installation is reused if its sealed tokens are unchanged, while its status and versions come from the new row', () => {
  const now = {
    status: 'broken',
    life: 2,
    version: 3,
    user_version: 4,
    installed_at: 5,
    team_name: 'New',
  } as const;
  const { opened, isKept } = openAfter(now);
  assert.ok(isKept);
  const { status, life, version, userVersion, installedAt } = opened;
  assert.deepEqual([status, life, version, userVersion, installedAt], ['broken', 2, 3, 4, 5]);
});

test('a sealed token is decrypted again if the sealed text or the installer has changed', () => {
  assert.equal(
    openAfter({ sealed_bot: sealedBot('ins_1', 'xoxb-2') }).opened.installation.bot?.token,
    'xoxb-2',
  );
  assert.equal(openAfter({ sealed_user: null }).opened.installation.user.token, undefined);
  const theirs = cipher.sealUser('ins_1', { id: 'U2', token: 'xoxp-2', scopes: [] });
  const other = openAfter({ installer_user_id: 'U2', sealed_user: theirs });
  assert.equal(other.opened.installation.user.token, 'xoxp-2');
  const withoutUsers = openAfter({ installer_user_id: 'U2' }, { ...row, sealed_user: null });
  assert.equal(withoutUsers.opened.installation.user.id, 'U2');
});

test('a sealed token does not open in another row, even if it was already opened in its own row', () => {
  assert.throws(() => openAfter({ id: 'ins_2' }), { code: 'seal_broken' });
});

test('an installation without a bot gets the team’s current name from the row', () => {
  const { opened } = openAfter({ team_name: 'New' }, { ...row, sealed_bot: null });
  assert.equal(opened.installation.team?.name, 'New');
});
