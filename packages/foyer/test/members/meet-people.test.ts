import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { TeamMember } from '../../src/index.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { signedPost } from '../faults/support/signed-post.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

const hourMs = 60 * 60 * 1000;

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`registering people, on ${engine}`, () => {
    let stage: Stage;
    beforeEach(async () => {
      stage = await setStage({ engine });
    });
    afterEach(() => stage.close());

    const whom = (name: string, role = 'owner') => ({
      teamId: stage.sandbox.workspace(name).id,
      userId: stage.sandbox.person(name, role).id,
    });

    async function installIn(name: string): Promise<{ teamId: string; userId: string }> {
      const visitor = createVisitor();
      const done = await install(visitor, stage.url, stage.sandbox, whom(name));
      await finishedRun(visitor, stage.url + (done.headers.get('location') ?? ''));
      return whom(name);
    }

    const members = async (teamId: string, search?: string): Promise<TeamMember[]> =>
      (await stage.foyer().members.list({ teamId }, { search })).members;

    const met = (teamId: string, userId: string) =>
      eventually(async () => (await members(teamId)).find((member) => member.userId === userId));

    it('Foyer registers each person who installs or opens Home, with the role and the profile that Slack reports', async () => {
      const { teamId, userId } = await installIn('Acme');
      await installIn('Globex');
      const { sandbox } = stage;
      const guest = sandbox.addMember({ teamId, realName: 'Gus Guest', role: 'guest' });
      for (const role of ['admin', 'member', 'Gus Guest']) await sandbox.openHome(whom('Acme', role));
      await met(teamId, guest.id);
      const found = await eventually(async () => {
        const list = await members(teamId);
        return list.length === 4 && list.every(({ email }) => email !== null) && list;
      });
      const roles = Object.fromEntries(found.map(({ realName, role }) => [realName, role]));
      assert.deepEqual(roles, {
        'Grace Okafor': 'owner',
        'Mateo Vargas': 'admin',
        'Priya Nair': 'member',
        'Gus Guest': 'guest',
      });
      const grace = found.find((member) => member.userId === userId);
      assert.equal(grace?.timezone, 'Europe/Amsterdam');
      assert.ok(found.every((member) => member.lastSeenAt !== null && member.teamId === teamId));
      assert.equal((await members(whom('Globex').teamId)).length, 1);
    });

    it('Foyer stores the time at which it last saw a person, and updates that time at most once an hour', async () => {
      const { teamId, userId } = await installIn('Acme');
      const seenAt = async () => (await met(teamId, userId)).lastSeenAt;
      const openAndPress = async () => {
        await stage.sandbox.openHome({ teamId, userId });
        await press(stage, { teamId, userId, home: teamId });
        await stage.sandbox.settled();
      };
      const lastSeen = async (agoMs: number): Promise<string> => {
        const at = Date.now() - agoMs;
        await stage.database.change('update memberships set last_seen_at = ? where user_id = ?', at, userId);
        return new Date(at).toISOString();
      };
      const recently = await lastSeen(hourMs - 60_000);
      await openAndPress();
      await openAndPress();
      assert.equal(await seenAt(), recently);
      // Not read back: a request that is still in progress may already have updated it.
      const earlier = await lastSeen(hourMs + 1);
      await eventually(async () => {
        await openAndPress();
        return (await seenAt()) !== earlier;
      });
    });

    it('Foyer registers a person who presses a button, even if the bot has no scope to look people up', async () => {
      const { teamId } = await installIn('Acme');
      await stage.database.change('update installations set bot_scopes = ?', '["chat:write"]');
      const { userId } = whom('Acme', 'member');
      await press(stage, { teamId, userId, home: teamId });
      const member = await met(teamId, userId);
      assert.deepEqual([member.role, member.realName, member.isDeactivated], ['member', null, false]);
      assert.equal(
        stage.sandbox.calls('users.info').filter(({ arguments: { user } }) => user === userId).length,
        0,
      );
    });

    it('Foyer stores people of two workspaces separately, even if they have the same user id', async () => {
      const { teamId, userId } = await installIn('Acme');
      const before = await met(teamId, userId);
      await press(stage, { teamId, userId, home: 'TELSEWHERE' });
      const external = await eventually(async () =>
        (await members(teamId)).find((member) => member.role === 'external'),
      );
      assert.deepEqual([external.userId, external.teamId], [userId, 'TELSEWHERE']);
      assert.deepEqual(await stage.foyer().members.find({ teamId }, userId), before);
      assert.deepEqual(await members('TELSEWHERE'), []);
    });

    it('Foyer does not let a person of another workspace act as the installer, even if both have the same user id', async () => {
      const { teamId, userId } = await installIn('Acme');
      const welcomes = () => stage.sandbox.messages({ teamId, userId }).length;
      const { length } = stage.sandbox.messages({ teamId, userId });
      await press(stage, { teamId, userId, home: 'TELSEWHERE', actionId: 'foyer.send_welcome' });
      await eventually(async () =>
        stage.logged().some((line) => line.includes('someone from another workspace pressed a button')),
      );
      assert.equal(welcomes(), length);
      await press(stage, { teamId, userId, home: teamId, actionId: 'foyer.send_welcome' });
      await eventually(async () => welcomes() > length);
    });

    it('Foyer does not register a person who only writes in a channel, or who presses a button after an uninstall', async () => {
      const { teamId } = await installIn('Acme');
      const { userId } = whom('Acme', 'member');
      await stage.sandbox.sendEvent({
        event: {
          type: 'message',
          user: userId,
          channel: 'C1',
          channel_type: 'channel',
          text: 'hi',
          ts: '1.2',
        },
        teamId,
      });
      // The admin opens Home after the message. So once Foyer has registered the admin, it has handled the message too.
      await stage.sandbox.openHome(whom('Acme', 'admin'));
      await met(teamId, whom('Acme', 'admin').userId);
      await stage.sandbox.uninstall({ teamId });
      await press(stage, { teamId, userId, home: teamId });
      await stage.foyer().drain({ deadlineMs: 1 });
      const rows = await stage.database.rows('select user_id from users where user_id = ?', userId);
      assert.deepEqual(rows, []);
    });

    it('Foyer learns of a deactivated person from Slack’s event or, if the event is lost, from a lookup when it publishes Home', async () => {
      const { teamId } = await installIn('Acme');
      const { sandbox } = stage;
      const { userId } = whom('Acme', 'member');
      await sandbox.openHome({ teamId, userId });
      await met(teamId, userId);
      const change = (deleted: boolean) =>
        sandbox.sendEvent({
          event: { type: 'user_change', user: { id: userId, team_id: teamId, deleted } },
          teamId,
          eventTimeSeconds: Math.floor(Date.now() / 1000) + 5,
        });
      for (const deleted of [true, false]) {
        await change(deleted);
        await eventually(async () => (await met(teamId, userId)).isDeactivated === deleted);
      }
      // Slack deactivates the account, but the event is lost, and the stored profile is more than a day old.
      sandbox.person('Acme', userId).isDeactivated = true;
      await stage.database.change('update memberships set updated_at = 1 where user_id = ?', userId);
      await stage.foyer().publishHome({ teamId }, userId);
      assert.equal((await met(teamId, userId)).isDeactivated, true);
    });

    it('the list of members finds people by part of a name or an email, or by id, and its pages miss no one', async () => {
      const { teamId } = await installIn('Acme');
      const { sandbox } = stage;
      for (let n = 1; n <= 7; n += 1) {
        const { id: userId } = sandbox.addMember({ teamId, realName: `Zoë Pa%ge ${n}` });
        await stage.database.change(
          'insert into users (client_id, team_id, user_id, real_name, email, first_seen_at, updated_at) values (?, ?, ?, ?, ?, ?, ?)',
          ...[sandbox.app.clientId, teamId, userId, `Zoë Pa%ge ${n}`, `zoe${n}@x.test`, Math.ceil(n / 3), 1],
        );
        await stage.database.change(
          'insert into memberships (client_id, team_id, user_id, is_admin, is_owner, first_seen_at, updated_at) values (?, ?, ?, 0, 0, ?, 1)',
          ...[sandbox.app.clientId, teamId, userId, Math.ceil(n / 3)],
        );
      }
      assert.equal((await members(teamId, 'ZOË pa%')).length, 7);
      assert.equal((await members(teamId, 'pa_ge')).length, 0);
      assert.deepEqual(
        (await members(teamId, 'ZOE3@')).map(({ email }) => email),
        ['zoe3@x.test'],
      );
      const [{ userId } = { userId: '' }] = await members(teamId, 'zoe3@');
      assert.equal((await members(teamId, userId.toLowerCase())).length, 1);
      const seen: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await stage.foyer().members.list({ teamId }, { cursor, limit: 3 });
        seen.push(...page.members.map((member) => member.userId));
        cursor = page.cursor;
      }
      assert.equal(new Set(seen).size, 8);
      assert.equal(seen.length, 8);
      await assert.rejects(stage.foyer().members.list({ teamId }, { cursor: 'x' }), /cursor/);
    });
  });
}

/** Presses a button of a message, as a person of the workspace `home`. */
async function press(
  stage: Stage,
  {
    teamId,
    userId,
    home,
    actionId = 'theirs',
  }: { teamId: string; userId: string; home: string; actionId?: string },
): Promise<void> {
  const payload = {
    type: 'block_actions',
    user: { id: userId, username: 'x', name: 'x', team_id: home },
    team: { id: teamId, domain: 'acme' },
    enterprise: null,
    is_enterprise_install: false,
    api_app_id: stage.sandbox.app.id,
    token: '',
    trigger_id: '1.2.3',
    container: { type: 'message', message_ts: '1.2', channel_id: 'C1' },
    channel: { id: 'C1', name: 'shared' },
    actions: [{ type: 'button', action_id: actionId, block_id: 'b', action_ts: '1.2', value: '' }],
  };
  const { signingSecret } = stage.sandbox.app;
  const response = await signedPost({ url: stage.url, signingSecret, body: payload });
  assert.equal(response.status, 200);
}
