import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { defineFoyer, RepeatEventError } from '../../src/index.ts';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { signedPost } from '../faults/support/signed-post.ts';
import { setMachines } from '../machines/support/set-machines.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import type { EngineName } from '../support/stage-database.ts';
import { setStage } from '../support/start-foyer.ts';

/** An app whose listeners record what they receive. `fail` can make the event listener throw. */
function listening(fail?: (id: string, times: number) => void) {
  const heard: string[] = [];
  const definition = defineFoyer({
    manifest: JSON.parse(fixtureManifest),
    listeners(app) {
      app.event('reaction_added', async ({ body }) => {
        heard.push(body.event_id);
        fail?.(body.event_id, heard.filter((id) => id === body.event_id).length);
      });
      app.action('count', async ({ ack, body }) => {
        heard.push(`press of ${body.user.id}`);
        await ack();
      });
    },
  });
  return { heard, definition };
}

async function setListening(t: TestContext, engine: EngineName, fail?: Parameters<typeof listening>[0]) {
  const { heard, definition } = listening(fail);
  const stage = await setStage({ engine, foyer: { definition } });
  t.after(() => stage.close());
  const { sandbox } = stage;
  const [acme, globex] = ['Acme', 'Globex'].map((name) => ({
    teamId: sandbox.workspace(name).id,
    userId: sandbox.person(name, 'owner').id,
  }));
  assert.ok(acme && globex);
  for (const place of [acme, globex]) await install(createVisitor(), stage.url, sandbox, place);
  const send = (teamId: string, eventId: string) =>
    sandbox.sendEvent({ event: { type: 'reaction_added', user: 'U1', reaction: 'eyes' }, teamId, eventId });
  return { ...stage, heard, acme, globex, send };
}

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`an event on ${engine}`, () => {
    it('each of several events reaches a listener exactly once, even if Slack sends it again', async (t) => {
      const { sandbox, heard, acme, globex, send } = await setListening(t, engine);
      const delivery = await send(acme.teamId, 'Ev1');
      await sandbox.deliveries.resend(delivery?.id ?? '', { times: 3 });
      await send(globex.teamId, 'Ev2');
      await Promise.all([send(acme.teamId, 'Ev3'), send(acme.teamId, 'Ev3'), send(globex.teamId, 'Ev4')]);
      await eventually(async () => heard.length >= 4);
      for (const again of await sandbox.deliveries.resend(delivery?.id ?? '', { times: 2 }))
        assert.equal(again.status, 200);
      await send(acme.teamId, 'Ev5');
      await eventually(async () => heard.includes('Ev5'));
      assert.deepEqual(heard.toSorted(), ['Ev1', 'Ev2', 'Ev3', 'Ev4', 'Ev5']);
    });

    it('Foyer repeats an event if a listener asks for that, but ignores an event that Slack resends after Foyer has handled it', async (t) => {
      const { sandbox, heard, acme, send, logged } = await setListening(t, engine, (_id, times) => {
        if (times === 1) throw new RepeatEventError('The calendar is down');
      });
      const delivery = await send(acme.teamId, 'Ev1');
      await eventually(async () => heard.length === 2);
      await sandbox.deliveries.resend(delivery?.id ?? '');
      await send(acme.teamId, 'Ev2');
      await eventually(async () => heard.filter((id) => id === 'Ev2').length === 2);
      assert.equal(heard.length, 4);
      assert.ok(logged().some((line) => line.includes('a listener asked Foyer to repeat an event')));
    });
  });
}

it('on Postgres, an event that Slack resends after a restart does not reach a listener again', async (t) => {
  const stage = await setListening(t, 'Postgres');
  const { sandbox, heard, acme, send, database } = stage;
  const delivery = await send(acme.teamId, 'Ev1');
  await eventually(async () => heard.length === 1);
  await stage.stop();
  await database.change(
    "insert into seen_deliveries (client_id, key, seen_at) select client_id, 'event old', 0 from seen_deliveries",
  );
  await stage.start();
  await sandbox.deliveries.resend(delivery?.id ?? '');
  await send(acme.teamId, 'Ev2');
  await eventually(async () => heard.includes('Ev2'));
  assert.deepEqual(heard, ['Ev1', 'Ev2']);
  await eventually(async () => {
    const rows = await database.rows<{ key: string }>('select key from seen_deliveries order by key');
    return rows.map(({ key }) => key).join() === 'event Ev1,event Ev2';
  });
});

it('an event or a button press reaches a listener only once, even if each of two machines receives it twice', async (t) => {
  const { heard, definition } = listening();
  const machines = await setMachines({ foyer: { definition } });
  t.after(() => machines.close());
  const { a, b, sandbox, config } = { ...machines, config: machines.a.config };
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
  await install(createVisitor(), machines.url, sandbox, acme);
  const { signingSecret } = config.slack;
  const press = {
    type: 'block_actions',
    user: { id: acme.userId, team_id: acme.teamId },
    team: { id: acme.teamId },
    actions: [{ type: 'button', action_id: 'count', block_id: 'b', value: 'v', action_ts: '1.1' }],
  };
  const now = Date.now();
  for (let round = 1; round <= 5; round += 1) {
    const event = { type: 'reaction_added', user: 'U1', reaction: 'eyes' };
    const body = { type: 'event_callback', team_id: acme.teamId, event_id: `Ev${round}`, event };
    const answers = await Promise.all(
      [a, b, a, b].flatMap(({ url }) => [
        signedPost({ url, signingSecret, body, now }),
        signedPost({ url, signingSecret, body: { ...press, trigger_id: String(round) }, now }),
      ]),
    );
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    await eventually(async () => heard.length >= 2 * round);
  }
  assert.deepEqual(heard.toSorted(), [
    'Ev1',
    'Ev2',
    'Ev3',
    'Ev4',
    'Ev5',
    ...Array.from({ length: 5 }, () => `press of ${acme.userId}`),
  ]);
});
