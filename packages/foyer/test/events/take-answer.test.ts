import assert from 'node:assert/strict';
import { it } from 'node:test';
import { WebClient } from '@slack/web-api';
import { readInstallRecord } from '../../src/database/install-record.ts';
import { recordUser, saveProfile } from '../../src/database/people/people.ts';
import { listRuns } from '../../src/database/runs.ts';
import { createTakeAnswer } from '../../src/events/take-answer.ts';
import { type ActingStep, ask } from '../../src/pipeline/step.ts';
import { blankProfile } from '../../src/slack/slack-text.ts';
import { type PipelineStage, setStage } from '../pipeline/pipeline-stage.ts';
import { texts } from '../support/test-face.ts';

const asking: ActingStep = {
  name: 'asking',
  title: { todo: 'Choose a plan', doing: 'Choosing a plan' },
  run: async ({ answer }) => answer ?? ask({ id: 'plan', text: 'Which plan?', input: { type: 'text' } }),
};

/** Answers a run's question as the person whom the run is for, and shows the outcome in Slack. */
async function takeAnswer(stage: PipelineStage, about: { installationId: string; runId: string }) {
  const { database, deps, now } = stage;
  const { runId, installationId } = about;
  const record = await readInstallRecord(database.queries, installationId);
  assert.ok(record);
  const take = createTakeAnswer({
    ...{ database, texts, now, log: deps.log, publishHome: deps.services.publishHome },
    wakeWorker() {},
  });
  const { user_id: userId } = await database.queries
    .selectFrom('runs')
    .select('user_id')
    .where('id', '=', runId)
    .executeTakeFirstOrThrow();
  const key = { runId, stepName: 'asking', questionId: 'plan' };
  const { outcome, show } = await take(record, key, { userId, isAllowed: false, answer: 'team' });
  const token = await deps.botToken(installationId);
  await show(async () => new WebClient(token, { slackApiUrl: stage.sandbox.apiUrl }));
  return outcome;
}

const shown = (stage: PipelineStage, person: { teamId: string; userId: string }): string =>
  JSON.stringify(stage.sandbox.messages(person).map(({ blocks }) => blocks));

it('after a member has answered a question of their own run, the question’s message says in their language that they answered', async (t) => {
  const stage = await setStage(t, { steps: [], momentSteps: { opened: [asking] } });
  const { teamId, installationId, userId: installerId } = await stage.install();
  const userId = stage.sandbox.person('Acme', 'admin').id;
  const { clientId } = stage.config.slack;
  for (const [person, locale] of [
    [installerId, 'de-DE'],
    [userId, 'fr-FR'],
  ] as const) {
    const key = { clientId, teamId, userId: person, now: stage.now() };
    await stage.database.write(async (tx) => {
      await recordUser(tx, { ...key, seenAt: stage.now() });
      const user = { ...blankProfile, locale, isAdmin: false, isOwner: false };
      await saveProfile(tx, key, { user, team: null });
    });
  }
  const opening = { userId, tab: 'home', channelId: null, openedAt: stage.now() } as const;
  await stage.store.recordOpening({ teamId }, opening);
  while ((await stage.work()) > 0);
  const [run] = await listRuns(stage.database.queries, installationId, 1, ['opened']);
  assert.equal(run?.waitingFor, 'answer');
  assert.equal(await takeAnswer(stage, { installationId, runId: run.id }), 'answered');
  assert.match(shown(stage, { teamId, userId }), /a répondu/);
});

it('after a reinstall, an answer in the earlier install’s message removes the question’s form from that message', async (t) => {
  const stage = await setStage(t, { steps: [asking] });
  const first = await stage.install();
  await stage.work();
  await stage.pass(1000);
  await stage.store.deleteInstallation({ teamId: first.teamId });
  await stage.pass(1000);
  const again = await stage.install();
  assert.equal(again.life, 2);
  assert.match(shown(stage, first), /foyer\.answer/);
  assert.equal(await takeAnswer(stage, first), 'closed');
  assert.doesNotMatch(shown(stage, first), /foyer\.answer/);
});
