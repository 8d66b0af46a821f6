import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Failure } from 'slack-sandbox';
import { readStepAttempts } from '../../src/database/run-steps.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { type PipelineStage, setStage } from './pipeline-stage.ts';

const manifest = fixtureManifest;

/** Starts a process with a worker for the stage's runs; the process is killed when the test ends. */
async function startWorker(t: TestContext, stage: PipelineStage): Promise<ChildProcess> {
  const { slack } = stage.config;
  const [installation] = stage.sandbox.state().installations;
  const child = fork(join(import.meta.dirname, 'worker-process.ts'), {
    env: {
      ...process.env,
      SLACK_CLIENT_ID: slack.clientId,
      SLACK_CLIENT_SECRET: slack.clientSecret,
      SLACK_SIGNING_SECRET: slack.signingSecret,
      SLACK_API_URL: slack.apiUrl,
      SLACK_AUTHORIZATION_URL: slack.authorizationUrl,
      LOG_LEVEL: 'warn',
      NODE_ENV: 'test',
      MANIFEST: manifest,
      BOT_TOKEN: installation?.tokens.find((token) => token.kind === 'bot')?.value ?? '',
      DATABASE_FILE: stage.databaseFile,
    },
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

const places: { method: string; failure: Failure }[] = [
  { method: 'users.info', failure: { type: 'hang', delayMs: 60_000 } },
  { method: 'conversations.open', failure: { type: 'hang', delayMs: 60_000 } },
  { method: 'chat.postMessage', failure: { type: 'hang', delayMs: 60_000 } },
  { method: 'conversations.history', failure: { type: 'hang', delayMs: 60_000 } },
  { method: 'views.publish', failure: { type: 'hang', delayMs: 60_000 } },
];

describe('a process that is killed', () => {
  it('a run resumes where it stopped and sends one welcome, even if its process is killed five times during a call to Slack', async (t) => {
    const stage = await setStage(t, { realTime: true });
    const install = await stage.install();
    for (const { method, failure } of places) {
      stage.sandbox.faults.add({ method, failure });
      const child = await startWorker(t, stage);
      await called(stage, method);
      await killed(child);
      assert.notEqual((await stage.run(install.runId)).status, 'succeeded');
    }
    const last = await startWorker(t, stage);
    const [status] = await once(last, 'message');
    await killed(last);

    assert.equal(status, 'succeeded');
    assert.equal(stage.welcomes(install), 1);
    const attempts = await readStepAttempts(stage.database.queries, install.runId);
    const lost = attempts.filter((attempt) => attempt.outcome === 'started').map(({ stepName }) => stepName);
    assert.deepEqual(lost, ['fetch-profile', 'send-welcome', 'send-welcome', 'send-welcome', 'publish-home']);
    const ended = attempts.filter((attempt) => attempt.outcome === 'succeeded');
    assert.deepEqual(
      ended.map(({ stepName }) => stepName),
      ['register-team', 'register-user', 'fetch-profile', 'send-welcome', 'publish-home'],
    );
  });
});

/** Resolves once Slack has received a call of this method and has acted on it. */
async function called(stage: PipelineStage, method: string): Promise<void> {
  const before = stage.sandbox.calls(method).filter((call) => call.wasActedUpon).length;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    if (stage.sandbox.calls(method).filter((call) => call.wasActedUpon).length > before) resolve();
  }, 5);
  await promise;
  clearInterval(timer);
}
