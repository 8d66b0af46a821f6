import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createVisitor, install } from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';
import { failures } from './fault-table.ts';
import { isEveryPoint, isFullRun } from './support/full-run.ts';
import { createJumpClock, type JumpClock } from './support/jump-clock.ts';
import { lifeDefinition } from './support/life-app.ts';
import { startWebhookEndpoint, type WebhookEndpoint } from './support/webhook-endpoint.ts';

/**
 * The fault matrix from install to uninstall: what can go wrong while a question is asked and answered, and while an
 * uninstall run calls the app's own billing system. `fault-matrix.test.ts` has the cells of an install.
 */

type When = 'asking' | 'answering' | 'uninstalling';

interface Cell {
  when: When;
  /** One of Slack's methods, or `billing`. */
  method: string;
  failure: string;
  how: 'once' | 'always';
  /** Where Foyer asks the question. By default, in the DM and in Home. */
  asked?: 'in Home alone' | 'nowhere';
  /** The error of the step that failed; if absent, the run succeeds. */
  error?: string;
}

const passing = [
  '429',
  '500',
  '503',
  'reset, did not act',
  'reset, acted',
  'malformed, acted',
  'internal_error',
];
const refusals = ['channel_not_found', 'messages_tab_disabled'];

function rows(when: When, method: string, names: readonly string[], end: Partial<Cell> = {}): Cell[] {
  return names.map((failure) => ({ when, method, failure, how: 'once', ...end }));
}

const cells: readonly Cell[] = [
  ...rows('asking', 'chat.postMessage', passing),
  ...rows('asking', 'chat.postMessage', refusals, { asked: 'in Home alone' }),
  ...rows('asking', 'chat.postMessage', ['account_inactive'], {
    asked: 'nowhere',
    error: 'account_inactive',
  }),
  ...rows('asking', 'chat.postMessage', ['500'], { asked: 'nowhere', how: 'always', error: 'http_500' }),
  ...rows('asking', 'conversations.open', ['429', '500', 'reset, acted', 'malformed, acted']),
  ...rows('asking', 'conversations.open', ['user_not_found'], { asked: 'in Home alone' }),
  ...rows('answering', 'chat.update', [...passing, 'message_not_found', 'account_inactive'], {
    how: 'always',
  }),
  ...rows('answering', 'views.publish', [...passing, 'not_enabled']),
  ...rows('answering', 'views.open', ['500', 'expired_trigger_id', 'reset, did not act']),
  ...rows('answering', 'billing', ['500', 'reset, did not act', 'reset, acted']),
  ...rows('answering', 'billing', ['402'], { error: 'billing_402' }),
  ...rows('uninstalling', 'billing', ['500', '503', 'reset, did not act', 'reset, acted']),
  ...rows('uninstalling', 'billing', ['402'], { error: 'billing_402' }),
  ...rows('uninstalling', 'billing', ['503'], { how: 'always', error: 'billing_503' }),
  ...rows('uninstalling', 'auth.revoke', ['429', '500', 'reset, acted', 'token_revoked'], { how: 'always' }),
];

/** The few cells of the quick run. */
const quick = cells.filter(
  ({ when, method, failure, how }) =>
    /postMessage reset, acted|postMessage channel_not_found|update 500|open 500|billing reset, acted/.test(
      `${method} ${failure}`,
    ) ||
    (when === 'uninstalling' && how === 'always'),
);
const onPostgres = quick.filter(({ failure }) => failure === 'reset, acted' || failure === '503');

for (const [engine, played] of [
  ['SQLite', isFullRun ? cells : quick],
  ['Postgres', isEveryPoint ? cells : isFullRun ? quick : onPostgres],
] as const) {
  describe(`the fault matrix from install to uninstall on ${engine}`, { concurrency: 3 }, () => {
    for (const cell of played) {
      const { when, method, failure, how, asked = 'in the DM', error } = cell;
      const place = when === 'asking' ? `the question is asked ${asked}, and ` : '';
      const end = `${place}the step ${error === undefined ? 'succeeds' : `fails with ${error}`}`;
      it(`if ${method} fails ${how} while ${when} (${failure}), ${end}`, async (t) =>
        playCell(await setPlay(t, engine), cell));
    }
  });
}

interface Play {
  stage: Stage;
  billing: WebhookEndpoint;
  clock: JumpClock;
  acme: { teamId: string; userId: string };
}

async function setPlay(t: TestContext, engine: EngineName): Promise<Play> {
  const billing = await startWebhookEndpoint();
  t.after(() => billing.close());
  const clock = createJumpClock();
  const stage = await setStage({
    engine,
    foyer: {
      now: clock.now,
      worker: { pollMs: 20, leaseMs: 3_600_000 },
      // `playCell` opens Home. Steps of the `opened` moment would then call the billing system too, so this app has no
      // such steps.
      definition: { ...lifeDefinition(billing.url), opened: undefined } as object,
    },
  });
  t.after(() => stage.close());
  const { sandbox } = stage;
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
  return { stage, billing, clock, acme };
}

async function playCell(play: Play, cell: Cell): Promise<void> {
  const { stage, acme, billing } = play;
  const { sandbox } = stage;
  const { when, asked, error } = cell;
  if (when === 'asking') breakCall(play, cell);
  await install(createVisitor(), stage.url, sandbox, acme);
  await settle(play);
  if (asked === 'nowhere') {
    assert.deepEqual(await stepsOf(play, 'install'), [`choose-plan failed: ${error}`]);
    assert.equal(formsOf(play).length, 0);
    return;
  }
  assert.deepEqual(await runsOf(play), ['install waiting']);
  assert.equal(formsOf(play).length, asked ? 0 : 1, 'forms in the DM');
  await sandbox.openHome(acme);
  await until(play, () => homeOf(play).includes('foyer.answer'));

  if (when === 'answering') breakCall(play, cell);
  if (cell.method === 'views.open') {
    await answer(play, asked, 'gold');
    await until(play, () => sandbox.calls('views.open').length > 0);
    assert.deepEqual(await runsOf(play), ['install waiting']);
  }
  await answer(play, asked, 'team');
  await settle(play);
  const failed = when === 'answering' && error !== undefined;
  assert.deepEqual(await stepsOf(play, 'install'), [
    `choose-plan ${failed ? `failed: ${error}` : 'succeeded'}`,
  ]);
  assert.deepEqual(await ledgerOf(play), failed ? [] : [`plan ${acme.teamId} team`]);
  const said = sandbox.messages(acme).filter(({ text }) => text === 'Your plan: team');
  assert.equal(said.length, failed ? 0 : 1, 'messages');
  if (when !== 'uninstalling') return;

  breakCall(play, cell);
  assert.equal(await stage.foyer().uninstall({ teamId: acme.teamId }, 'the account was closed'), true);
  await settle(play);
  const [closing, canceling] = await stepsOf(play, 'uninstall');
  assert.equal(closing, `close-books ${error ? `failed: ${error}` : 'succeeded'}`);
  // `close-books` is not required, so `cancel-plan` runs even if `close-books` failed.
  const fails = error !== undefined && cell.how === 'always';
  assert.equal(canceling, `cancel-plan ${fails ? `failed: ${error}` : 'succeeded'}`);
  const lines = (await ledgerOf(play)).filter((line) => !line.startsWith('plan '));
  assert.equal(lines.length, error === undefined ? 2 : fails ? 0 : 1);
  billing.answerWith('ok');
}

function breakCall({ stage, billing }: Play, { method, failure: name, how }: Cell): void {
  const failure = failures[name] ?? { type: 'error', error: name };
  const times = how === 'once' ? 1 : 1_000_000;
  if (method !== 'billing') return void stage.sandbox.faults.add({ method, times, failure });
  billing.answerWith((_req, res, post) => {
    if (name.endsWith(', acted')) post();
    if (/^\d+$/.test(name)) res.writeHead(Number(name)).end('no');
    else res.destroy();
  }, times);
}

/**
 * Moves the clock from one try to the next until every run has ended or waits for an answer. Does not move it to the
 * reminder of a question, which is due in a day.
 */
async function settle({ stage, clock, ...play }: Play): Promise<void> {
  await until({ stage, clock, ...play }, async () => {
    const open = await stage.database.rows<{ status: string; due_at: number | null }>(
      "select status, due_at from runs where finished_at is null and coalesce(waiting_for, '') <> 'answer'",
    );
    const [next] = open.flatMap(({ status, due_at: dueAt }) => (status === 'running' ? [] : (dueAt ?? [])));
    if (next !== undefined) clock.jump(Math.max(0, next - clock.now()));
    return open.length === 0;
  });
}

async function until(play: Play, look: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 120_000;
  while (!(await look())) {
    if (performance.now() > giveUpAt) throw new Error(`no end:\n${play.stage.logged().slice(-8).join('\n')}`);
    await new Promise((next) => setTimeout(next, 25));
  }
}

const formsOf = ({ stage, acme }: Play) =>
  stage.sandbox.messages(acme).filter(({ blocks }) => JSON.stringify(blocks).includes('foyer.answer.input'));

const homeOf = ({ stage, acme }: Play): string => JSON.stringify(stage.sandbox.homeView(acme)?.blocks ?? []);

async function answer({ stage, acme }: Play, asked: Cell['asked'], value: string): Promise<void> {
  const { sandbox } = stage;
  const where = asked ? 'home' : 'message';
  const blocks = asked ? sandbox.homeView(acme)?.blocks : formsOf({ stage, acme } as Play)[0]?.blocks;
  const blockId = String(blocks?.find(({ type }) => type === 'input')?.block_id);
  const entered = {
    [blockId]: { 'foyer.answer.input': { type: 'static_select', selected_option: { value } } },
  };
  const { status } = await sandbox.press({ ...acme, actionId: 'foyer.answer', where, entered });
  assert.equal(status, 200);
}

async function runsOf({ stage }: Play): Promise<string[]> {
  const rows = await stage.database.rows<{ pipeline: string; status: string }>(
    'select pipeline, status from runs order by created_at',
  );
  return rows.map(({ pipeline, status }) => `${pipeline} ${status}`);
}

async function stepsOf({ stage }: Play, pipeline: string): Promise<string[]> {
  const rows = await stage.database.rows<{ name: string; status: string; error_code: string | null }>(
    `select s.name, s.status, s.error_code from steps s join runs r on r.id = s.run_id
      where r.pipeline = ? order by s.position`,
    pipeline,
  );
  return rows.map(
    ({ name, status, error_code: code }) => `${name} ${status}${code === null ? '' : `: ${code}`}`,
  );
}

async function ledgerOf({ stage }: Play): Promise<string[]> {
  return (await stage.database.rows<{ line: string }>('select line from ledger'))
    .map(({ line }) => line)
    .sort();
}
