import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { createSealer } from '../../src/installations/sealer.ts';
import { createSessions, memberTimes } from '../../src/signin/sessions.ts';
import { createSignIn, type SignInDeps } from '../../src/signin/sign-in.ts';
import { keyringOf } from '../support/installations.ts';
import { engines } from '../support/open-test-database.ts';
import { insertTenant, inviteStrangers, ownRows } from '../support/strangers.ts';

const clientId = '1.1';
const now = 5_000_000;
const publicUrl = 'https://foyer.example';

/**
 * A sign-in reads the installation, asks Slack about the person, and reads the installation again before it begins a
 * session. These tests change the installation while Foyer asks Slack.
 */
for (const [engine, open] of Object.entries(engines)) {
  describe(`a sign-in notices a change of the installation during the call to Slack (${engine})`, () => {
    async function signInWhile(t: TestContext, change: { status?: 'uninstalled'; life?: number }) {
      const { database, close } = await open();
      t.after(close);
      const keyring = keyringOf('k1');
      const strangers = await inviteStrangers(database, { clientId, keyring });
      const place = { clientId, teamId: 'T1', enterpriseId: null, grantsOf: 'E1' };
      const own = { ...place, mark: 'OWN', dueAt: 3000, madeAt: 1000 };
      await database.write((tx) => insertTenant(tx, own, ['U1', 'U2'], keyring));
      const people = async () =>
        JSON.stringify([await ownRows(database, 'users'), await ownRows(database, 'memberships')]);
      const before = await people();
      const answers: unknown[] = [];
      const times = { id: 'state-of-OWN', issuedAt: now, returnTo: `${publicUrl}/`, nonce: 'n' };
      const person = { userId: 'U1', teamId: 'T1', enterpriseId: null, issuedAt: now };
      const reported = { teamName: 'T', name: 'New', email: null, avatarUrl: null, locale: null };
      const { finish } = createSignIn({
        config: {
          slack: { clientId },
          http: { publicUrl, basePath: '', baseUrl: publicUrl, trustProxy: 0 },
          signIn: { returnOrigins: [] },
        },
        database,
        openId: { identify: async () => ({ ...person, ...reported }) },
        states: { judge: () => ({ ok: true, content: times }) },
        sessions: createSessions({
          ...{ kind: 'member', clientId, cookieName: 'foyer-member', times: memberTimes, database },
          ...{ sealer: createSealer({ keyring, purpose: 'member-session' }), secure: true, now: () => now },
        }),
        async lookUpPerson() {
          await database.queries
            .updateTable('installations')
            .set(change)
            .where('id', '=', 'ins_OWN')
            .execute();
        },
        pages: { sendFailure: (_res: unknown, { kind }: { kind: string }) => answers.push(kind) },
        now: () => now,
        log: pino({ level: 'silent' }),
      } as unknown as SignInDeps);
      const res = {
        appendHeader() {},
        writeHead(status: number) {
          answers.push(status);
          return { end() {} };
        },
      };
      await finish({ url: '/slack/signin/callback?code=1&state=2', headers: {} } as never, res as never);
      await strangers.assertUntouched();
      const sessions = (await database.queries.selectFrom('sessions').selectAll().execute()).filter(
        ({ began_at }) => began_at === now,
      );
      return { answers, sessions, isChanged: (await people()) !== before };
    }

    it('a sign-in starts no session and registers no one if the app is uninstalled during the sign-in', async (t) => {
      const { answers, sessions, isChanged } = await signInWhile(t, { status: 'uninstalled' });
      assert.deepEqual([answers, sessions, isChanged], [['signin_not_installed'], [], false]);
    });

    it('the session of a sign-in belongs to the newer install if the app is reinstalled during the sign-in', async (t) => {
      const { answers, sessions, isChanged } = await signInWhile(t, { life: 2 });
      assert.deepEqual([answers, isChanged], [[303], true]);
      assert.deepEqual(
        sessions.map(({ installation_id, life, user_id }) => [installation_id, life, user_id]),
        [['ins_OWN', 2, 'U1']],
      );
    });
  });
}
