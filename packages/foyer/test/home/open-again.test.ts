import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { engines } from '../support/open-test-database.ts';
import type { EngineName } from '../support/stage-database.ts';
import { openHome } from './open-home.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const opened = { installationId: 'ins_1', userId: 'U1', opened: true };

for (const engine of Object.keys(engines) as EngineName[]) {
  describe(`opening App Home again, on ${engine}`, () => {
    async function homeOn(t: TestContext) {
      const home = await openHome({ engine });
      t.after(() => home.close());
      async function openedAt(): Promise<number | undefined> {
        const views = home.database.queries.selectFrom('home_views').select('opened_at');
        return (await views.where('user_id', '=', 'U1').executeTakeFirst())?.opened_at;
      }
      return { ...home, openedAt };
    }

    it('opening App Home again makes no Slack call and no database write if the view is unchanged', async (t) => {
      const home = await homeOn(t);
      assert.equal((await home.publishHome(opened)).reason, 'sent');
      const { writes } = home.asked;
      home.clock.now += 5 * minuteMs;
      await home.change('ins_2', { team_name: 'Renamed' });
      for (let time = 0; time < 3; time += 1) {
        assert.equal((await home.publishHome(opened)).reason, 'unchanged');
      }
      assert.equal(home.asked.writes, writes);
      assert.equal(home.slack.calls.length, 1);
    });

    it('opening App Home again shows a change that another process has just made', async (t) => {
      const home = await homeOn(t);
      await home.publishHome(opened);
      await home.publishHome(opened);
      await home.change('ins_1', { team_name: 'Renamed' });
      assert.equal((await home.publishHome(opened)).reason, 'sent');
      assert.match(home.shown('U1')[1]?.args.view ?? '', /Renamed/);
    });

    it('opening App Home again does not send a view that another process has already sent', async (t) => {
      const home = await homeOn(t);
      assert.equal((await home.publishElsewhere(opened)).reason, 'sent');
      assert.equal((await home.publishHome(opened)).reason, 'unchanged');
    });

    it('opening App Home again publishes nothing after the app is removed', async (t) => {
      const home = await homeOn(t);
      await home.publishHome(opened);
      await home.publishHome(opened);
      await home.database.write((transaction) =>
        transaction
          .updateTable('installations')
          .set({ status: 'uninstalled' })
          .where('id', '=', 'ins_1')
          .execute(),
      );
      assert.equal((await home.publishHome(opened)).reason, 'not_installed');
    });

    it('Foyer records at most every ten minutes that a person opened App Home, but still republishes to everyone who opened App Home in the past hour', async (t) => {
      const home = await homeOn(t);
      const at = home.clock.now;
      await home.publishHome(opened);
      home.clock.now = at + 10 * minuteMs - 1;
      await home.publishHome(opened);
      await home.publishHome(opened);
      assert.equal(await home.openedAt(), at);
      // U1 last opened Home an hour ago. Foyer recorded only an earlier opening, but the republish must still reach U1.
      home.clock.now += hourMs;
      await home.change('ins_1', { installer_user_id: 'U7', team_name: 'Renamed' });
      await home.database.queries.updateTable('runs').set({ user_id: 'U7' }).execute();
      await home.republishHome('ins_1');
      assert.equal(home.shown('U1').length, 2);
      home.clock.now = at + 10 * minuteMs;
      await home.publishHome(opened);
      assert.equal(await home.openedAt(), at + 10 * minuteMs);
    });

    it('when Foyer publishes App Home a day later, it looks up the viewer in Slack again, even if nothing in the database has changed', async (t) => {
      const home = await homeOn(t);
      const admin = { ...opened, userId: 'U5' };
      await home.person('T1', 'U5', true, home.clock.now);
      await home.publishHome(admin);
      await home.publishHome(admin);
      home.clock.now += 24 * hourMs;
      home.slack.answer = async ({ method }) => ({
        body: { ok: true, ...(method === 'users.info' && { user: { id: 'U5', team_id: 'T1' } }) },
      });
      await home.publishHome({ ...admin, opened: false });
      assert.equal(home.slack.of('users.info').length, 1);
    });
  });
}
