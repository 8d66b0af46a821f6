import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Failure } from 'slack-sandbox';
import { DatabaseUnavailableError } from '../../src/database/database.ts';
import { readHistory } from '../../src/database/history.ts';
import { readStepAttempts } from '../../src/database/run-steps.ts';
import { cancelRuns } from '../../src/database/runs.ts';
import { retryDelayMs } from '../../src/pipeline/attempt.ts';
import {
  type ActingStep,
  ask,
  defaultMaxAttempts,
  type Json,
  retryIn,
  type Step,
  type StepContext,
  type StepEnd,
  StepError,
  skip,
  unconfirmed,
  waitFor,
} from '../../src/pipeline/step.ts';
import { mortal, setStage, signal } from './pipeline-stage.ts';

function step<Output extends Json>(
  name: string,
  run: (context: StepContext) => Promise<Output | StepEnd>,
  traits: Partial<Pick<ActingStep, 'required' | 'timeLimitMs' | 'maxAttempts'>> = {},
): ActingStep<Output> {
  return {
    name,
    required: false,
    timeLimitMs: 5000,
    title: { todo: 'Do it', doing: 'Doing it' },
    maxAttempts: 3,
    ...traits,
    run,
  };
}

function counting(name: string, counts: Record<string, number>): Step<{ runs: number }> {
  return step(name, async () => {
    counts[name] = (counts[name] ?? 0) + 1;
    return { runs: counts[name] };
  });
}

const askSlack = step(
  'ask-slack',
  async (context) => {
    const slack = await context.slack({ timeoutMs: 200 });
    await slack.auth.test();
    return { asked: true };
  },
  { maxAttempts: 2 },
);

describe('running the steps of a run', () => {
  it('steps run in order, and each gets the outputs of earlier steps', async (t) => {
    const order: string[] = [];
    const first = step('first', async () => {
      order.push('first');
      return { number: 41, words: ['a'] };
    });
    const refused = step('refused', async () => {
      order.push('refused');
      return skip('not_wanted', 'Nobody wants it');
    });
    const last = step('last', async (context) => {
      order.push('last');
      const answer: number = (context.output(first)?.number ?? 0) + 1;
      const statuses = context.earlierSteps.map((earlier) => earlier.status);
      return { answer, nothing: context.output(refused), statuses };
    });
    const stage = await setStage(t, { steps: [first, refused, last] });
    const { runId, installationId } = await stage.install();
    const run = await stage.finish(runId);
    assert.deepEqual(order, ['first', 'refused', 'last']);
    assert.equal(run.status, 'succeeded');
    assert.deepEqual(
      run.steps.map(({ status, attempts, errorCode }) => [status, attempts, errorCode]),
      [
        ['succeeded', 1, null],
        ['skipped', 1, 'not_wanted'],
        ['succeeded', 1, null],
      ],
    );
    const rows = await stage.database.queries.selectFrom('steps').select(['name', 'output']).execute();
    assert.deepEqual(JSON.parse(rows.find((row) => row.name === 'last')?.output ?? ''), {
      answer: 42,
      nothing: null,
      statuses: ['succeeded', 'skipped'],
    });
    const [newest] = await readHistory(stage.database.queries, installationId, 1);
    assert.deepEqual([newest?.kind, newest?.detail], ['run_succeeded', runId]);
  });

  it('a run resumes after its last finished step, and never repeats a finished step', async (t) => {
    const counts: Record<string, number> = {};
    let isDead = false;
    const middle = step('middle', async () => {
      counts.middle = (counts.middle ?? 0) + 1;
      isDead = counts.middle === 1;
      return { done: true };
    });
    const stage = await setStage(t, { steps: [counting('first', counts), middle, counting('last', counts)] });
    const { runId } = await stage.install();
    void stage.work({ database: mortal(stage.database, () => isDead) });
    await until(() => isDead);
    assert.equal(await stage.work(), 0, 'its lease still holds');
    await stage.pass(30_000);
    const run = await stage.finish(runId);
    assert.equal(run.status, 'succeeded');
    assert.deepEqual(counts, { first: 1, middle: 2, last: 1 });
    const attempts = await readStepAttempts(stage.database.queries, runId);
    assert.deepEqual(
      attempts.map(({ stepName, outcome }) => [stepName, outcome]),
      [
        ['first', 'succeeded'],
        ['middle', 'started'],
        ['middle', 'succeeded'],
        ['last', 'succeeded'],
      ],
    );
  });

  it('a step that keeps killing its process fails after ten tries, and the run continues', async (t) => {
    let isDead = false;
    let tries = 0;
    const deadly = step('deadly', async () => {
      tries += 1;
      isDead = true;
      return null;
    });
    const stage = await setStage(t, { steps: [deadly, step('after', async () => null)] });
    const { runId } = await stage.install();
    while (tries < 10) {
      isDead = false;
      const before = tries;
      void stage.work({ database: mortal(stage.database, () => isDead) });
      await until(() => tries > before);
      await stage.pass(30_000);
    }
    const run = await stage.finish(runId);
    assert.deepEqual(
      run.steps.map(({ status, errorCode }) => [status, errorCode]),
      [
        ['failed', 'process_died'],
        ['succeeded', null],
      ],
    );
    assert.equal(tries, 10);
  });

  it('a run continues after an optional step fails, but skips the remaining steps after a required step fails', async (t) => {
    const fails = (name: string, required: boolean) =>
      step(
        name,
        async () => {
          throw new StepError('no_luck', 'No luck', { final: true });
        },
        { required },
      );
    const stage = await setStage(t, {
      steps: [fails('optional', false), fails('required', true), step('last', async () => null)],
    });
    const { runId, installationId } = await stage.install();
    const run = await stage.finish(runId);
    assert.equal(run.status, 'failed');
    assert.deepEqual(
      run.steps.map(({ status, errorCode }) => [status, errorCode]),
      [
        ['failed', 'no_luck'],
        ['failed', 'no_luck'],
        ['skipped', 'earlier_step_failed'],
      ],
    );
    const [newest] = await readHistory(stage.database.queries, installationId, 1);
    assert.deepEqual(
      [newest?.kind, newest?.detail],
      ['run_failed', `${runId}: optional (no_luck), required (no_luck)`],
    );
  });

  it('a run succeeds even if a step stays unconfirmed', async (t) => {
    const stage = await setStage(t, {
      steps: [step('unsure', async () => unconfirmed('no_answer', 'Nobody knows'))],
    });
    const { runId } = await stage.install();
    const run = await stage.finish(runId);
    assert.deepEqual(
      [run.status, run.steps[0]?.status, run.steps[0]?.errorCode],
      ['succeeded', 'unconfirmed', 'no_answer'],
    );
  });

  it('within one attempt, Slack clients with the same limits share one read of the bot’s token, and the next step reads the token again', async (t) => {
    const asks = async (context: StepContext) => {
      const answers = await Promise.all([context.slack(), context.slack(), context.slack({ timeoutMs: 9 })]);
      return { clients: new Set(answers).size };
    };
    const stage = await setStage(t, { steps: [step('one', asks), step('other', asks)] });
    let tokens = 0;
    const botToken = async () => `xoxb-${++tokens}`;
    const run = await stage.finish((await stage.install()).runId, { botToken });
    assert.equal(run.status, 'succeeded');
    // Each of the two steps reads the token twice: once for the two clients with the default limits, and once for the
    // client with its own limits.
    assert.equal(tokens, 4);
  });

  it('a run skips a step that has since been removed from the pipeline', async (t) => {
    const kept = step('kept', async () => null);
    const stage = await setStage(t, { steps: [step('gone', async () => null), kept] });
    const { runId } = await stage.install();
    const run = await stage.finish(runId, { steps: [kept] });
    assert.equal(run.status, 'succeeded');
    assert.deepEqual(
      run.steps.map(({ status, errorCode }) => [status, errorCode]),
      [
        ['skipped', 'step_removed'],
        ['succeeded', null],
      ],
    );
  });

  it('a step that returns retryIn runs again after the time that it asked for, and this does not count as a failed attempt', async (t) => {
    let looks = 0;
    const patient = step(
      'patient',
      async () => {
        looks += 1;
        return looks < 5 ? retryIn(60_000) : { looks };
      },
      { maxAttempts: 1 },
    );
    const stage = await setStage(t, { steps: [patient] });
    const { runId } = await stage.install();
    const start = stage.now();
    const run = await stage.finish(runId);
    assert.deepEqual([run.status, run.steps[0]?.attempts], ['succeeded', 5]);
    assert.equal(stage.now() - start, 4 * 60_000);
  });

  it('Foyer neither stores nor logs a secret that is in a step’s error, output or question', async (t) => {
    const leaky = step('leaky', async () => ({
      note: 'the token is xoxb-123-secret',
      nested: ['xoxe-1-abc'],
      byToken: { 'xoxb-124-secret': [{ 'xoxb-125-secret': 1 }] },
    }));
    const failing = step('failing', async () => {
      throw new StepError('leak', 'refused xoxb-456-secret at https://hooks.slack.com/services/T/B/x', {
        final: true,
      });
    });
    const skipping = step('skipping', async () => skip('leak', 'skipped for xoxb-789-secret'));
    const waiting = step('waiting', async ({ attempt }) =>
      attempt === 1
        ? retryIn(60_000, { code: 'leak', message: 'waits for xoxb-790-secret' })
        : { done: true },
    );
    const asking = step('asking', async ({ answer }) =>
      answer === undefined
        ? ask({ id: 'leak', text: 'Is it xoxb-791-secret?', input: { type: 'text' }, timeLimitMs: 1000 })
        : { answer },
    );
    const stage = await setStage(t, { steps: [leaky, failing, skipping, waiting, asking] });
    const { runId } = await stage.install();
    await stage.finish(runId);
    const asked = await stage.database.queries.selectFrom('questions').select('question').execute();
    const rows = await stage.database.queries
      .selectFrom('steps')
      .innerJoin('step_attempts', 'step_attempts.step_name', 'steps.name')
      .select(['output', 'steps.error_message', 'step_attempts.error_message as attempt_message'])
      .execute();
    const stored = JSON.stringify([rows, asked]) + stage.logged();
    for (const told of ['skipped for', 'waits for', 'Is it', 'refused'])
      assert.ok(stored.includes(`${told} [secret]`), told);
    assert.doesNotMatch(stored, /secret-|-secret|xoxe-1|services/);
  });
});

describe('a failure of a step', () => {
  it('a step whose output cannot be stored fails at once with invalid_output, and the run continues', async (t) => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const outputs = [circular, 10n, () => 1, 'x'.repeat(70_000), { deep: { number: 1n } }];
    const steps = outputs.map((output, index) => step(`output-${index}`, async () => output as Json));
    const fine = step('fine', async () => undefined as unknown as null);
    const stage = await setStage(t, { steps: [...steps, fine] });
    const { runId } = await stage.install();
    const run = await stage.finish(runId);
    for (const ended of run.steps.slice(0, -1)) {
      assert.deepEqual(
        [ended.status, ended.errorCode, ended.attempts],
        ['failed', 'invalid_output', 1],
        ended.name,
      );
    }
    assert.equal(run.steps.at(-1)?.status, 'succeeded');
  });

  it('the stored error of a step names its causes, holds no secret and has at most 500 characters', async (t) => {
    const refused = (address: string): Error => new Error(`connect ECONNREFUSED ${address}`);
    const chain = (levels: number): Error =>
      new Error(`level ${levels}`, levels < 9 ? { cause: chain(levels + 1) } : {});
    const token = ['xoxb', '1234567890', 'abcdefghij'].join('-');
    let secret = '';
    const thrown = (): [error: unknown, message: string][] => [
      [
        new TypeError('fetch failed', { cause: refused('127.0.0.1:3298') }),
        'fetch failed: connect ECONNREFUSED 127.0.0.1:3298',
      ],
      [
        new TypeError('fetch failed', {
          cause: new AggregateError([refused('::1:1'), refused('127.0.0.1:1')]),
        }),
        'fetch failed: connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
      ],
      [new Error('no answer: it broke', { cause: new Error('it broke') }), 'no answer: it broke'],
      [new Error('no answer', { cause: 'it broke' }), 'no answer: it broke'],
      [new Error('no answer', { cause: { status: 500 } }), 'no answer'],
      [chain(1), 'level 1: level 2: level 3: level 4: level 5'],
      [new Error('no answer', { cause: new Error(`with ${token}`) }), 'no answer: with [secret]'],
      [new Error(`${'x'.repeat(490)} ${secret}`), `${'x'.repeat(490)} [secret]`],
      // Forty long secrets, which shrink to a few characters each.
      [
        new Error(`eyJ${['a', 'b', 'c'].map((part) => part.repeat(170)).join('.')} `.repeat(40)),
        '[secret] '.repeat(40),
      ],
      [new Error('x'.repeat(2_000_000), { cause: new Error('y') }), 'x'.repeat(500)],
    ];
    const steps = thrown().map((_, index) =>
      step(
        `step-${index}`,
        async () => {
          throw thrown()[index]?.[0];
        },
        { maxAttempts: 1 },
      ),
    );
    const stage = await setStage(t, { steps });
    secret = stage.config.slack.clientSecret;
    const { runId } = await stage.install();
    const run = await stage.finish(runId);
    assert.deepEqual(
      run.steps.map(({ errorMessage }) => errorMessage),
      thrown().map(([, message]) => message),
    );
  });

  /** Values that a step can throw, but that Foyer cannot read or store like an ordinary error. */
  const unreadable: Record<string, () => unknown> = {
    'an object without a prototype': () => Object.create(null),
    'an error with U+0000 in its message': () => new Error('bad \0 byte'),
    'an error whose message throws': () => withGetter('message'),
    'an error whose code throws': () => withGetter('code'),
    'an error whose data throws': () => withGetter('data'),
    'an error whose cause throws': () => withGetter('cause'),
    'an error with an object for a message': () => Object.assign(new Error('x'), { message: { a: 1 } }),
    'a proxy that throws': () =>
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('get');
          },
          getPrototypeOf: () => {
            throw new Error('getPrototypeOf');
          },
        },
      ),
    'a symbol': () => Symbol('thrown'),
    nothing: () => undefined,
  };
  function withGetter(name: string): Error {
    const get = () => {
      throw new Error(`its ${name} cannot be read`);
    };
    return Object.defineProperty(new Error('x'), name, { get });
  }
  const wrongEnds: Record<string, () => unknown> = {
    'skip without words': () => skip(undefined as never, null as never),
    'unconfirmed without a message': () => unconfirmed('code', 5 as never),
    'retryIn without a number': () => retryIn(Number.NaN),
    'retryIn with a text': () => retryIn('60000' as never),
    'retryIn for ever': () => retryIn(Number.POSITIVE_INFINITY),
    'retryIn for a million years': () => retryIn(1e300),
    'retryIn with half a reason': () => retryIn(1000, { code: 'why' } as never),
    'waitFor an event that never comes': () => waitFor('app_home_opened' as never),
  };
  const wrongQuestions: Record<string, () => unknown> = {
    'no question': () => ask(null as never),
    'a question without an id': () => ask({ text: 'Why?', input: { type: 'text' } } as never),
    'a question that is not JSON': () =>
      ask({ id: 'a', text: 'Why?', input: { type: 'text' }, count: 1n } as never),
    'a choice with a hole': () =>
      ask({ id: 'a', text: 'Why?', input: { type: 'choice', options: [null as never] } }),
  };
  for (const engine of ['SQLite', 'Postgres'] as const) {
    it(`a step is retried if it throws a value that cannot be read as an error, and fails at once if it returns an invalid outcome (${engine})`, async (t) => {
      const makers = Object.entries({ ...unreadable, ...wrongEnds, ...wrongQuestions });
      const steps = makers.map(([title, make], index) =>
        step(
          `step-${index}`,
          async () => {
            const made = make();
            if (title in unreadable) throw made;
            return made as never;
          },
          { maxAttempts: 3 },
        ),
      );
      const stage = await setStage(t, { steps, engine });
      const { runId } = await stage.install();
      const run = await stage.finish(runId);
      const code = (title: string) =>
        title in unreadable ? 'unexpected_error' : title in wrongEnds ? 'invalid_end' : 'invalid_question';
      assert.deepEqual(
        run.steps.map((ended, index) => [makers[index]?.[0], ended.status, ended.errorCode, ended.attempts]),
        makers.map(([title]) => [title, 'failed', code(title), title in unreadable ? 3 : 1]),
      );
    });

    it(`retryIn rounds the wait up to whole milliseconds, and to at least a second (${engine})`, async (t) => {
      const rests = [0, -5000, Number.NEGATIVE_INFINITY, 1000 / 3, 999, 1000, 4000 / 3];
      const steps = rests.map((restMs, index) =>
        step(`rests-${index}`, async ({ attempt }) => (attempt === 1 ? retryIn(restMs) : { attempt })),
      );
      const stage = await setStage(t, { steps, engine });
      const { runId } = await stage.install();
      const start = stage.now();
      const run = await stage.finish(runId);
      assert.deepEqual(
        run.steps.map(({ status, attempts }) => [status, attempts]),
        rests.map(() => ['succeeded', 2]),
      );
      assert.equal(stage.now() - start, 6 * 1000 + 1334);
    });
  }

  const cases: {
    title: string;
    failure: Failure;
    times?: number;
    expect: { status: string; step: string; code: string | null; attempts: number; tokenDead?: boolean };
  }[] = [
    {
      title: 'a step waits out each rate limit, which does not count as a failure',
      failure: { type: 'status', status: 429, retryAfterSeconds: 40 },
      times: 7,
      expect: { status: 'succeeded', step: 'succeeded', code: null, attempts: 8 },
    },
    {
      title: 'a step is retried after a 503',
      failure: { type: 'status', status: 503 },
      expect: { status: 'succeeded', step: 'succeeded', code: null, attempts: 2 },
    },
    {
      title: 'a step fails after its last attempt if Slack always answers 503',
      failure: { type: 'status', status: 503 },
      times: 9,
      expect: { status: 'failed', step: 'failed', code: 'http_503', attempts: 2 },
    },
    {
      title: 'a step is retried after a broken connection',
      failure: { type: 'reset-before-acting' },
      expect: { status: 'succeeded', step: 'succeeded', code: null, attempts: 2 },
    },
    {
      title: 'a step is retried if Slack does not answer',
      failure: { type: 'hang', delayMs: 60_000 },
      expect: { status: 'succeeded', step: 'succeeded', code: null, attempts: 2 },
    },
    {
      title: 'a step is retried after a response with malformed JSON',
      failure: { type: 'malformed-json' },
      expect: { status: 'succeeded', step: 'succeeded', code: null, attempts: 2 },
    },
    {
      title: 'a step is retried after a temporary error from Slack',
      failure: { type: 'error', error: 'internal_error' },
      expect: { status: 'succeeded', step: 'succeeded', code: null, attempts: 2 },
    },
    {
      title: 'a step fails at once if Slack refuses the call',
      failure: { type: 'error', error: 'missing_scope' },
      expect: { status: 'failed', step: 'failed', code: 'missing_scope', attempts: 1 },
    },
    ...['account_inactive', 'token_revoked', 'invalid_auth'].map((error) => ({
      title: `a step fails at once after ${error}, and the token is reported as dead`,
      failure: { type: 'error' as const, error },
      expect: { status: 'failed', step: 'failed', code: error, attempts: 1, tokenDead: true },
    })),
  ];

  for (const { title, failure, times, expect } of cases) {
    it(title, async (t) => {
      const stage = await setStage(t, { steps: [askSlack] });
      const { runId, installationId } = await stage.install();
      stage.sandbox.faults.add({ method: 'auth.test', failure, times });
      const run = await stage.finish(runId);
      const [only] = run.steps;
      assert.deepEqual(
        { status: run.status, step: only?.status, code: only?.errorCode, attempts: only?.attempts },
        { status: expect.status, step: expect.step, code: expect.code, attempts: expect.attempts },
      );
      assert.deepEqual(stage.deadTokens, expect.tokenDead ? [installationId] : []);
    });
  }

  it('a rate-limited step waits exactly as long as Slack asked', async (t) => {
    const stage = await setStage(t, { steps: [askSlack] });
    const { runId } = await stage.install();
    const failure: Failure = { type: 'status', status: 429, retryAfterSeconds: 40 };
    stage.sandbox.faults.add({ method: 'auth.test', failure });
    await stage.work();
    const run = await stage.run(runId);
    assert.deepEqual([run.status, run.steps[0]?.status], ['waiting', 'retrying']);
    assert.equal(run.dueAt, stage.now() + 40_000);
    await stage.pass(39_999);
    assert.equal(await stage.work(), 0);
    await stage.pass(1);
    assert.equal(await stage.work(), 1);
    assert.equal((await stage.run(runId)).status, 'succeeded');
  });

  it('the wait before a retry is random between zero and a limit that grows exponentially, from half a second to five minutes', async (t) => {
    const failing = step(
      'failing',
      async () => {
        throw new Error('no');
      },
      { maxAttempts: 13 },
    );
    const stage = await setStage(t, { steps: [failing] });
    const delaysFor = async (random: number): Promise<number[]> => {
      const { runId } = await stage.install();
      const delays: number[] = [];
      for (;;) {
        await stage.work({ random: () => random });
        const { dueAt } = await stage.run(runId);
        if (dueAt === null) return delays;
        delays.push(dueAt - stage.now());
        await stage.pass(dueAt - stage.now());
      }
    };
    const longest = await delaysFor(1);
    assert.deepEqual(longest.slice(0, 4), [500, 1000, 2000, 4000]);
    assert.deepEqual(longest.slice(-2), [300_000, 300_000]);
    assert.equal(longest.length, 12);
    await stage.pass(1000);
    assert.deepEqual(await delaysFor(0), Array(12).fill(0));
  });

  it('docs/pipelines.md states the correct total waiting time for each number of attempts', () => {
    const guide = readFileSync(new URL('../../../../docs/pipelines.md', import.meta.url), 'utf8');
    const rows = [
      ...guide.matchAll(/^\| (\d+)(?: \(the default\))? \| (\d+ \w+) \| (\d+ \w+(?: \d+ \w+)?) \|$/gm),
    ];
    assert.ok(rows.some(([, attempts]) => Number(attempts) === defaultMaxAttempts));
    /** Returns the total time that Foyer waits between the given number of attempts, formatted as in the guide. */
    const waited = (attempts: number, random: number): string => {
      let ms = 0;
      for (let failures = 1; failures < attempts; failures += 1) ms += retryDelayMs(failures, () => random);
      const minutes = Math.round(ms / 60_000);
      if (ms < 100_000) return `${Math.round(ms / 1000)} seconds`;
      return minutes < 60 ? `${minutes} minutes` : `${Math.floor(minutes / 60)} hour ${minutes % 60} minutes`;
    };
    assert.deepEqual(
      rows.map(([, attempts, average, longest]) => [attempts, average, longest]),
      rows.map(([, attempts]) => [attempts, waited(Number(attempts), 0.5), waited(Number(attempts), 1)]),
    );
  });

  it('Foyer repeats a step after an error of Foyer’s own database, and does not count that as a failed attempt', async (t) => {
    let tries = 0;
    const unlucky = step(
      'unlucky',
      async () => {
        tries += 1;
        if (tries < 4) throw new Error('could not save', { cause: new DatabaseUnavailableError('locked') });
        return { tries };
      },
      { maxAttempts: 1 },
    );
    const stage = await setStage(t, { steps: [unlucky] });
    const { runId } = await stage.install();
    const run = await stage.finish(runId);
    assert.deepEqual([run.status, run.steps[0]?.attempts], ['succeeded', 4]);
  });

  it('if Foyer’s own database fails during a step for operators, Foyer waits before it repeats the step', async (t) => {
    let attempts = 0;
    const notify: Step = {
      ...step('notify', async () => {
        attempts += 1;
        if (attempts < 5) throw new DatabaseUnavailableError('the database was busy');
        return null;
      }),
      forOperators: true,
    };
    const stage = await setStage(t, { steps: [notify] });
    const { runId } = await stage.install();
    await stage.work();
    assert.equal(attempts, 1);
    const { status, dueAt } = await stage.run(runId);
    assert.deepEqual([status, dueAt], ['queued', stage.now() + 250]);
    assert.equal((await stage.finish(runId)).status, 'succeeded');
  });

  it('a step that never returns fails at its time limit', async (t) => {
    const stuck = step('stuck', () => new Promise<null>(() => {}), {
      timeLimitMs: 30,
      maxAttempts: 1,
    });
    const stage = await setStage(t, { steps: [stuck, step('next', async () => null)] });
    const { runId } = await stage.install();
    const run = await stage.finish(runId);
    assert.deepEqual(
      run.steps.map(({ status, errorCode }) => [status, errorCode]),
      [
        ['failed', 'step_timeout'],
        ['succeeded', null],
      ],
    );
  });
});

describe('a worker writes nothing to a run that was cancelled or that another worker took over', () => {
  it('if a run is cancelled during a step, Foyer stores no output of that step and starts no other step', async (t) => {
    const begun = signal();
    const goOn = signal();
    let didNext = false;
    const slow = step('slow', async () => {
      begun.reach();
      await goOn.reached;
      return { done: true };
    });
    const next = step('next', async () => {
      didNext = true;
      return null;
    });
    const stage = await setStage(t, { steps: [slow, next] });
    const { runId, installationId } = await stage.install();
    const working = stage.work();
    await begun.reached;
    const cancel = { installationId, reason: 'uninstalled', now: stage.now() };
    await stage.database.write((transaction) => cancelRuns(transaction, cancel));
    goOn.reach();
    await working;
    const run = await stage.run(runId);
    assert.deepEqual([run.status, didNext], ['cancelled', false]);
    const row = await stage.database.queries
      .selectFrom('steps')
      .select('output')
      .where('name', '=', 'slow')
      .executeTakeFirst();
    assert.equal(row?.output, null);
  });

  it('if a worker’s lease on a run expires, another worker finishes the run, and the first worker writes nothing', async (t) => {
    const begun = signal();
    const goOn = signal();
    let tries = 0;
    const slow = step('slow', async () => {
      tries += 1;
      const mine = tries;
      if (mine === 1) {
        begun.reach();
        await goOn.reached;
      }
      return { by: mine };
    });
    let nexts = 0;
    const next = step('next', async () => {
      nexts += 1;
      return null;
    });
    const stage = await setStage(t, { steps: [slow, next] });
    const { runId } = await stage.install();
    const stale = stage.work();
    await begun.reached;
    await stage.pass(30_000);
    const run = await stage.finish(runId);
    goOn.reach();
    await stale;
    assert.deepEqual([run.status, tries, nexts], ['succeeded', 2, 1]);
    const row = await stage.database.queries
      .selectFrom('steps')
      .select('output')
      .where('name', '=', 'slow')
      .executeTakeFirst();
    assert.equal(row?.output, '{"by":2}');
    assert.deepEqual(await stage.run(runId), run);
  });
});

/** Waits, one turn of the event loop at a time, until a condition holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((next) => setImmediate(next));
}
