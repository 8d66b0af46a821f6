import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { createJumpClock } from '../faults/support/jump-clock.ts';
import { lifeDefinition } from '../faults/support/life-app.ts';
import { startWebhookEndpoint } from '../faults/support/webhook-endpoint.ts';
import { setMachines, startMachineProcess } from './support/set-machines.ts';

/** Tests that two machines on one Postgres share the work of install, `opened`, `upgraded` and uninstall runs. */

const patienceMs = 60_000;
const day = 24 * 3_600_000;
const lifeProcess = fileURLToPath(new URL('../faults/support/life-process.ts', import.meta.url));

type Shared = Awaited<ReturnType<typeof setShared>>;

async function setShared(t: TestContext) {
  const billing = await startWebhookEndpoint();
  t.after(() => billing.close());
  const clock = createJumpClock();
  const machines = await setMachines({
    environment: { BILLING_URL: billing.url },
    sandbox: { readNow: clock.now },
    foyer: {
      now: clock.now,
      worker: { pollMs: 100, leaseMs: 3000 },
      definition: lifeDefinition(billing.url) as object,
    },
  });
  t.after(() => machines.close());
  const { sandbox, database } = machines;
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
  return {
    ...machines,
    machines,
    billing,
    clock,
    acme,
    forms: () =>
      sandbox.messages(acme).filter(({ blocks }) => JSON.stringify(blocks).includes('foyer.answer.input')),
    async run(pipeline: string) {
      const [run] = await database.rows<{
        status: string;
        lease_owner: string | null;
        due_at: number | null;
      }>('select status, lease_owner, due_at from runs where pipeline = ?', pipeline);
      return run;
    },
    ledger: async () =>
      (await database.rows<{ line: string }>('select line from ledger')).map(({ line }) => line).sort(),
  };
}

async function isAsked(
  { sandbox, acme, forms, run, url }: Shared,
  declinedScopes: string[] = [],
): Promise<void> {
  await install(createVisitor(), url, sandbox, { ...acme, declinedScopes });
  await eventually(
    async () => forms().length === 1 && (await run('install'))?.status === 'waiting',
    patienceMs,
  );
}

/** As the workspace's owner, answers the newest question in Slack. */
async function answer({ sandbox, acme, forms }: Shared, value: string): Promise<void> {
  const form = forms().at(-1);
  const blockId = String(form?.blocks?.find(({ type }) => type === 'input')?.block_id);
  const entered = {
    [blockId]: { 'foyer.answer.input': { type: 'static_select', selected_option: { value } } },
  };
  const press = { ...acme, actionId: 'foyer.answer', where: 'message', entered } as const;
  assert.equal((await sandbox.press(press)).status, 200);
}

async function uninstall({ sandbox, acme }: Shared): Promise<void> {
  for (const delivery of await sandbox.uninstall({ teamId: acme.teamId }))
    assert.equal(delivery?.status, 200);
}

describe('two machines', { concurrency: 3 }, () => {
  it('if the machine that stored an install stops, another machine accepts the answer to the install’s question', async (t) => {
    const shared = await setShared(t);
    const { a, b, sendTo, sandbox, acme, forms, run, ledger } = shared;
    await isAsked(shared);
    sendTo(b);
    await a.stop();
    await answer(shared, 'team');
    await eventually(async () => (await run('install'))?.status === 'succeeded', patienceMs);
    assert.deepEqual(await ledger(), [`plan ${acme.teamId} team`]);
    await eventually(async () => forms().length === 0);
    assert.equal(sandbox.messages(acme).filter(({ text }) => text === 'Your plan: team').length, 1);
  });

  it('if two answers to a question reach two machines at the same time, only one takes effect', async (t) => {
    const shared = await setShared(t);
    const { a, b, sendTo, run, ledger } = shared;
    await isAsked(shared);
    sendTo(a);
    const first = answer(shared, 'team');
    sendTo(b);
    await Promise.all([first, answer(shared, 'free')]);
    await eventually(async () => (await run('install'))?.status === 'succeeded', patienceMs);
    assert.equal((await ledger()).length, 1);
  });

  it('if a machine is killed, another finishes its uninstall run and repeats no finished step', async (t) => {
    const shared = await setShared(t);
    const { a, b, billing, run, ledger, database, environment } = shared;
    await isAsked(shared);
    await Promise.all([a.stop(), b.stop()]);
    const killed = await startMachineProcess(t, environment, lifeProcess);
    shared.sendTo(killed);
    // The billing service answers the first step's call. The test kills the machine while the second step waits for its
    // answer.
    let calls = 0;
    billing.answerWith((_req, res, post) => {
      calls += 1;
      post();
      if (calls === 1) res.end('ok');
    }, 2);
    await uninstall(shared);
    await eventually(async () => calls === 2, patienceMs);
    assert.match((await run('uninstall'))?.lease_owner ?? '', new RegExp(`:${killed.process.child.pid}:`));
    killed.process.kill();
    await killed.process.ended;
    await b.start();
    await eventually(async () => (await run('uninstall'))?.status === 'succeeded', patienceMs);
    assert.deepEqual(
      billing.posted.map((text) => text.split(' ')[0]),
      ['close-books', 'cancel-plan', 'cancel-plan'],
    );
    assert.equal((await ledger()).length, 2);
    const runs = await database.rows("select id from runs where pipeline = 'uninstall'");
    assert.equal(runs.length, 1);
  });

  it('an uninstall run executes once, even if its event reaches both machines several times', async (t) => {
    const shared = await setShared(t);
    const { a, b, sandbox, sendTo, billing, run } = shared;
    await isAsked(shared);
    await uninstall(shared);
    const event = sandbox.deliveries.list().find(({ type }) => type === 'app_uninstalled');
    assert.ok(event);
    for (const machine of [a, b]) {
      sendTo(machine);
      await sandbox.deliveries.resend(event.id, { times: 3 });
    }
    await eventually(async () => (await run('uninstall'))?.status === 'succeeded', patienceMs);
    assert.equal(billing.posted.length, 2);
  });

  it('even if both machines notice a person’s first visit to App Home, or a grant of new scopes, only one run starts', async (t) => {
    const shared = await setShared(t);
    const { a, b, sandbox, sendTo, billing, acme, database, ledger } = shared;
    await isAsked(shared, ['im:history']);
    const admin = sandbox.person('Acme', 'admin').id;
    const openings = [acme.userId, admin].flatMap((userId) =>
      [a, b, a, b].map((machine) => {
        sendTo(machine);
        return sandbox.openHome({ ...acme, userId });
      }),
    );
    for (const delivery of await Promise.all(openings)) assert.equal(delivery?.status, 200);
    const event = sandbox.deliveries.list().find(({ type }) => type === 'app_home_opened');
    for (const machine of [a, b]) {
      sendTo(machine);
      await sandbox.deliveries.resend(event?.id ?? '', { times: 3 });
    }
    const runs = () => database.rows<{ status: string }>("select status from runs where pipeline = 'opened'");
    await eventually(async () => (await runs()).every(({ status }) => status === 'succeeded'), patienceMs);
    assert.equal((await runs()).length, 2);
    for (const { url } of [a, b]) {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      assert.match(metrics, /^foyer_runs_total\{end="succeeded"\} 0$/m, 'the objective is about installs');
    }
    assert.equal(billing.posted.length, 4);
    assert.equal((await ledger()).length, 4);

    // Two callbacks bring the same new scopes at the same time, so only one of them adds any.
    const callbacks = [a, b].map((machine) => {
      sendTo(machine);
      return install(createVisitor(), shared.url, sandbox, acme);
    });
    for (const done of await Promise.all(callbacks)) assert.equal(done.status, 303);
    const upgrades = () =>
      database.rows<{ status: string }>("select status from runs where pipeline = 'upgraded'");
    await eventually(async () => (await upgrades())[0]?.status === 'succeeded', patienceMs);
    assert.equal((await upgrades()).length, 1);
    assert.equal(billing.posted.length, 6);
  });

  it('if the machines’ clock jumps forward and back, the installer is reminded only once, and no answer is lost', async (t) => {
    const shared = await setShared(t);
    const { clock, sandbox, acme, run, ledger } = shared;
    await isAsked(shared);
    const asked = () =>
      sandbox
        .messages(acme)
        .filter(({ metadata }) => /^foyer\.question/.test(String(metadata?.event_payload.key))).length;
    clock.jump(30 * day);
    await eventually(async () => asked() === 2 && (await run('install'))?.due_at === null, patienceMs);
    clock.jump(-30 * day);
    await answer(shared, 'team');
    await eventually(async () => (await run('install'))?.status === 'succeeded', patienceMs);
    assert.equal(asked(), 2);
    assert.deepEqual(await ledger(), [`plan ${acme.teamId} team`]);
    await uninstall(shared);
    await eventually(async () => (await run('uninstall'))?.status === 'succeeded', patienceMs);
    assert.equal((await ledger()).length, 3);
  });
});
