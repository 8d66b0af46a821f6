import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { PublishResult } from '../../src/home/publish-home.ts';
import { type Json, type Step, StepError } from '../../src/pipeline/step.ts';
import type { SlackFailure } from '../../src/slack/slack-failure.ts';
import { notifyOperators } from '../../src/steps/notify-operators.ts';
import { fetchProfile, registerTeam, registerUser } from '../../src/steps/register.ts';
import { builtInSteps, publishHome } from '../../src/steps/steps.ts';
import { type PipelineStage, setStage } from '../pipeline/pipeline-stage.ts';
import { ownRows } from '../support/strangers.ts';

const outputOf = async (stage: PipelineStage, runId: string, step: Step): Promise<Json> => {
  const row = await stage.database.queries
    .selectFrom('steps')
    .select('output')
    .where('run_id', '=', runId)
    .where('name', '=', step.name)
    .executeTakeFirstOrThrow();
  return JSON.parse(row.output ?? 'null') as Json;
};

describe('the built-in steps', () => {
  it('the built-in steps have fixed names and a fixed order, and only register-team and register-user are required', () => {
    assert.deepEqual(
      builtInSteps().map((step) => step.name),
      ['register-team', 'register-user', 'fetch-profile', 'send-welcome', 'publish-home', 'notify-operators'],
    );
    assert.deepEqual(
      builtInSteps()
        .filter((step) => step.required)
        .map((step) => step.name),
      ['register-team', 'register-user'],
    );
  });

  it('the built-in steps need one attempt each, and four calls to Slack in total', async (t) => {
    const stage = await setStage(t);
    const install = await stage.install();
    stage.sandbox.rateLimits.isOn = true;
    const callsBefore = stage.sandbox.calls().length;
    const run = await stage.finish(install.runId);
    assert.deepEqual(
      run.steps.map(({ status, attempts }) => [status, attempts]),
      [...Array(5).fill(['succeeded', 1]), ['skipped', 1]],
    );
    assert.deepEqual(
      stage.sandbox
        .calls()
        .slice(callsBefore)
        .map((call) => call.method)
        .toSorted(),
      ['chat.postMessage', 'conversations.open', 'team.info', 'users.info'],
    );
    assert.doesNotMatch(stage.logged(), /xox|"level":[45]0/);
  });
});

describe('register-team and register-user', () => {
  it('register-team and register-user report whether the team and the person are new', async (t) => {
    const stage = await setStage(t, { steps: [registerTeam, registerUser] });
    const first = await stage.install();
    await stage.pass(500);
    await stage.finish(first.runId);
    assert.deepEqual(await outputOf(stage, first.runId, registerTeam), {
      teamId: first.teamId,
      created: true,
    });
    assert.deepEqual(await outputOf(stage, first.runId, registerUser), {
      userId: first.userId,
      created: true,
    });
    await stage.pass(1000);
    const admin = await stage.install({ who: 'admin' });
    await stage.finish(admin.runId);
    assert.deepEqual(await outputOf(stage, admin.runId, registerTeam), {
      teamId: first.teamId,
      created: false,
    });
    assert.deepEqual(await outputOf(stage, admin.runId, registerUser), {
      userId: admin.userId,
      created: true,
    });
  });

  it('a failed attempt of register-team or register-user leaves no row, and the next attempt still reports “new”', async (t) => {
    for (const step of [registerTeam, registerUser]) {
      const stage = await setStage(t, { steps: [step] });
      const { runId } = await stage.install();
      const failing: Step = {
        ...step,
        async write(transaction, facts) {
          await step.write(transaction, facts);
          throw new Error('not this time');
        },
      };
      await stage.work({ steps: [failing] });
      for (const table of ['teams', 'users', 'memberships'] as const) {
        assert.deepEqual(await ownRows(stage.database, table), [], table);
      }
      const run = await stage.finish(runId);
      assert.deepEqual([run.steps[0]?.status, run.steps[0]?.attempts], ['succeeded', 2]);
      const output = await outputOf(stage, runId, step);
      assert.equal((output as { created: boolean }).created, true, step.name);
    }
  });

  it('register-team and register-user register an org-wide install under its enterprise', async (t) => {
    const stage = await setStage(t, { steps: [registerTeam, registerUser] });
    const { runId } = await stage.install({ workspace: 'Initech Product', orgWide: true });
    await stage.finish(runId);
    const { enterpriseId } = stage.sandbox.workspace('Initech Product');
    assert.deepEqual(await outputOf(stage, runId, registerTeam), { teamId: enterpriseId, created: true });
    const [team] = await ownRows(stage.database, 'teams');
    assert.deepEqual([team?.team_id, team?.name], [enterpriseId, 'Initech']);
    const [member] = await ownRows(stage.database, 'memberships');
    assert.equal(member?.team_id, enterpriseId);
  });
});

describe('fetch-profile', () => {
  const pipeline = [registerTeam, registerUser, fetchProfile];

  it('fetch-profile saves the profiles of the installer and the workspace', async (t) => {
    const stage = await setStage(t, { steps: pipeline });
    const { runId, userId } = await stage.install();
    await stage.finish(runId);
    const [user] = await ownRows(stage.database, 'users');
    assert.ok(user);
    const person = stage.sandbox.person('Acme');
    assert.deepEqual(
      [user.user_id, user.name, user.real_name, user.email, user.timezone, user.locale],
      [userId, person.name, person.realName, person.email, person.timeZone, person.locale],
    );
    assert.match(user.avatar_url ?? '', /^http/);
    const [member] = await ownRows(stage.database, 'memberships');
    assert.deepEqual([member?.is_admin, member?.is_owner], [1, 1]);
    const [team] = await ownRows(stage.database, 'teams');
    assert.deepEqual([team?.name, team?.domain], ['Acme', 'acme-robotics']);
    const output = (await outputOf(stage, runId, fetchProfile)) as { missing: Json };
    assert.deepEqual(output.missing, []);
  });

  it('fetch-profile reads a flag other than `true` as false, and a name that is not a string as missing', async () => {
    const odd = { is_admin: 'yes', is_owner: {}, is_restricted: null, name: 5, profile: { real_name: [] } };
    const context = {
      botScopes: ['users:read'],
      slack: async () => ({ users: { info: async () => ({ ok: true, user: odd }) } }),
      teamId: null,
      userId: 'U1',
      workspaceId: null,
      workspaceIds: [],
      isEnterpriseInstall: false,
      now: Date.now,
    };
    const ended = (await fetchProfile.run(context as never)) as { output: { user: object } };
    const { isAdmin, isOwner, isGuest, name, realName } = ended.output.user as Record<string, unknown>;
    assert.deepEqual([isAdmin, isOwner, isGuest, name, realName], [false, false, false, null, null]);
  });

  const scopes = ['chat:write', 'users:read', 'users:read.email', 'team:read'];
  const without = (...lost: string[]) => scopes.filter((scope) => !lost.includes(scope));

  it('if some scopes are missing, fetch-profile saves what it can read and names the method that it cannot call', async (t) => {
    const stage = await setStage(t, { steps: pipeline });
    const noTeam = await stage.install({ scopes: without('team:read', 'users:read.email') });
    assert.equal((await stage.finish(noTeam.runId)).status, 'succeeded');
    const output = (await outputOf(stage, noTeam.runId, fetchProfile)) as Record<string, Json>;
    assert.deepEqual(output.missing, [{ method: 'team.info', code: 'missing_scope' }]);
    assert.equal(output.team, null);
    assert.equal((output.user as { email: Json }).email, null);

    const noUser = await stage.install({ workspace: 'Globex', scopes: ['chat:write', 'team:read'] });
    assert.equal((await stage.finish(noUser.runId)).status, 'succeeded');
    const other = (await outputOf(stage, noUser.runId, fetchProfile)) as Record<string, Json>;
    assert.deepEqual(other.missing, [{ method: 'users.info', code: 'missing_scope' }]);
    assert.equal(other.user, null);
    assert.equal((other.team as { name: Json }).name, 'Globex');
  });

  it('fetch-profile is skipped if the install has no scope for any of its calls', async (t) => {
    const stage = await setStage(t, { steps: pipeline });
    const { runId } = await stage.install({ scopes: ['chat:write'] });
    const run = await stage.finish(runId);
    assert.deepEqual(
      [run.status, run.steps[2]?.status, run.steps[2]?.errorCode],
      ['succeeded', 'skipped', 'missing_scope'],
    );
    assert.equal(stage.sandbox.calls('users.info').length, 0);
  });
});

describe('publish-home', () => {
  const failure = (code: string): SlackFailure => ({
    kind: 'refused',
    code,
    message: code,
    mayHaveActed: false,
  });
  const cases: [PublishResult, string, string | null][] = [
    [{ published: true, reason: 'sent' }, 'succeeded', null],
    [{ published: false, reason: 'unchanged' }, 'succeeded', null],
    [{ published: false, reason: 'not_installed' }, 'skipped', 'not_installed'],
    [{ published: false, reason: 'not_enabled', failure: failure('not_enabled') }, 'skipped', 'not_enabled'],
    [{ published: false, reason: 'refused', failure: failure('view_too_large') }, 'failed', 'view_too_large'],
    [
      { published: false, reason: 'token_dead', failure: failure('token_revoked') },
      'failed',
      'token_revoked',
    ],
    [{ published: false, reason: 'unreachable', failure: failure('timeout') }, 'retrying', 'timeout'],
    [
      {
        published: false,
        reason: 'rate_limited',
        failure: { ...failure('rate_limited'), retryAfterMs: 9000 },
      },
      'retrying',
      'rate_limited',
    ],
  ];
  for (const [result, status, code] of cases) {
    it(`publish-home gets the status ${status} if the result of publishing App Home is ${result.reason}`, async (t) => {
      const stage = await setStage(t, { steps: [publishHome] });
      const { runId, installationId, userId, teamId } = await stage.install();
      const asked: unknown[] = [];
      await stage.work({
        services: {
          ...stage.deps.services,
          publishHome: async (request) => {
            asked.push(request);
            return result;
          },
        },
      });
      const [step] = (await stage.run(runId)).steps;
      assert.deepEqual([step?.status, step?.errorCode], [status, code]);
      assert.deepEqual(asked, [{ installationId, userId, teamId }]);
    });
  }
});

describe('notify-operators', () => {
  type Answer = (request: IncomingMessage, response: ServerResponse) => void;

  /** Starts a webhook that gives this answer and keeps the messages it receives. */
  async function startWebhook(t: TestContext, answer: Answer) {
    const received: { text: string }[] = [];
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      received.push(JSON.parse(Buffer.concat(parts).toString()) as { text: string });
      answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return { received, url: `http://127.0.0.1:${port}/services/T0/B0/very-secret` };
  }

  const taken: Answer = (_request, response) => response.end('ok');
  const failing: Step<null> = {
    name: 'optional',
    required: false,
    timeLimitMs: 1000,
    title: { todo: 'Do it', doing: 'Doing it' },
    maxAttempts: 1,
    async run() {
      throw new StepError('missing_scope', 'no', { final: true });
    },
  };

  it('the webhook message to operators says who installed the app where, whether the team and the user are new, and what failed', async (t) => {
    const { url, received } = await startWebhook(t, taken);
    const stage = await setStage(t, {
      steps: [registerTeam, registerUser, fetchProfile, failing, notifyOperators],
      environment: { NOTIFY_SLACK_WEBHOOK_URL: url },
    });
    const { runId, teamId, userId } = await stage.install();
    assert.equal((await stage.finish(runId)).status, 'failed');
    assert.equal(received.length, 1);
    const text = received[0]?.text ?? '';
    for (const part of [
      '*Grace Okafor* installed Foyer in *Acme*',
      `New team \`${teamId}\``,
      `new user \`${userId}\``,
      runId,
      '`optional` failed: `missing_scope`',
    ]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
    await stage.pass(1000);
    const again = await stage.install();
    await stage.finish(again.runId);
    assert.match(received[1]?.text ?? '', /Known team .* known user/);
    assert.doesNotMatch(stage.logged(), /very-secret/);
  });

  it('notify-operators is skipped if neither a webhook nor mail is configured', async (t) => {
    const stage = await setStage(t, { steps: [notifyOperators] });
    const { runId } = await stage.install();
    const [step] = (await stage.finish(runId)).steps;
    assert.deepEqual([step?.status, step?.errorCode], ['skipped', 'not_configured']);
  });

  const respond =
    (status: number, headers: Record<string, string> = {}): Answer =>
    (_request, response) =>
      response.writeHead(status, headers).end('no');
  const cases: {
    title: string;
    answers: Answer[];
    step: (string | null)[];
    posts: number;
    waitMs?: number;
  }[] = [
    {
      title: 'notify-operators sends the message again after a 503',
      answers: [respond(503)],
      step: ['succeeded', null],
      posts: 2,
    },
    {
      title: 'notify-operators waits as long as the Retry-After header of a 429 asks',
      answers: [respond(429, { 'retry-after': '20' })],
      step: ['succeeded', null],
      posts: 2,
      waitMs: 20_000,
    },
    {
      title: 'notify-operators fails without a retry if the webhook answers with 404',
      answers: [respond(404)],
      step: ['failed', 'http_404'],
      posts: 1,
    },
    {
      title: 'notify-operators does not repeat a message that may have arrived',
      answers: [(request) => request.socket.resetAndDestroy()],
      step: ['unconfirmed', 'no_answer'],
      posts: 1,
    },
  ];
  for (const { title, answers, step, posts, waitMs = 0 } of cases) {
    it(title, async (t) => {
      const left = [...answers];
      const { url, received } = await startWebhook(t, (request, response) =>
        (left.shift() ?? taken)(request, response),
      );
      const stage = await setStage(t, {
        steps: [notifyOperators],
        environment: { NOTIFY_SLACK_WEBHOOK_URL: url },
      });
      const { runId } = await stage.install();
      const run = await stage.finish(runId);
      assert.deepEqual([run.steps[0]?.status, run.steps[0]?.errorCode], step);
      assert.equal(received.length, posts);
      assert.ok(stage.now() - run.createdAt >= waitMs);
      assert.doesNotMatch(stage.logged() + JSON.stringify(run), /very-secret/);
    });
  }

  it('notify-operators is retried if its connection to the webhook is refused', async (t) => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const stage = await setStage(t, {
      steps: [notifyOperators],
      environment: { NOTIFY_SLACK_WEBHOOK_URL: `http://127.0.0.1:${port}/services/x` },
    });
    const { runId } = await stage.install();
    await stage.work();
    const [step] = (await stage.run(runId)).steps;
    assert.deepEqual([step?.status, step?.errorCode], ['retrying', 'connection_failed']);
  });
});
