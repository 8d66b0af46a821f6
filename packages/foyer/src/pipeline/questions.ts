import type { Database } from '../database/database.ts';
import { readLocale } from '../database/people/people.ts';
import {
  type AnswerOutcome,
  listQuestions,
  longestAnswer,
  type QuestionInput,
  type QuestionKey,
  type QuestionRecord,
  questionValue,
  storeAnswer,
} from '../database/questions.ts';
import { queueRun } from '../database/runs.ts';
import { questionBlocks } from '../home/question-blocks.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import { escapeMrkdwn } from '../slack/slack-text.ts';
import { AttemptEnded, postOnce } from './send-once.ts';
import { type ActingStep, askAgain, type Step, type StepContext } from './step.ts';

/** The error of a step that is skipped because its question was not answered in time. */
export const unanswered = {
  code: 'unanswered',
  message: 'The question was not answered in time',
} as const;

/** The keys of the two messages that ask a question: the first message and the reminder. */
export function questionPosts(key: QuestionKey): { first: string; reminder: string } {
  const first = `foyer.question/${questionValue(key)}`;
  return { first, reminder: `${first}/reminder` };
}

/**
 * Returns the step that runs instead of `step` while a question of `step` is open. It posts the question, and later the
 * reminder, and waits for the answer. Safe to run twice: each message has a key, and is posted once for that key.
 */
export function askingStep(step: Step, open: QuestionRecord): ActingStep {
  const { name, title, required, maxAttempts } = step;
  return {
    name,
    title,
    required,
    maxAttempts,
    async run(context) {
      const { texts, brand, database } = context.services;
      const teamId = context.teamId ?? context.enterpriseId ?? '';
      const person = { clientId: context.clientId, teamId, userId: context.userId };
      const words = texts.forLocale(await readLocale(database.queries, person));
      const app = escapeMrkdwn(brand.name, 80);
      const posts = questionPosts(open);
      const post = (key: string, intro: string) => {
        const text = `${intro.replaceAll('*', '')} ${escapeMrkdwn(open.question.text, 2500)}`;
        const blocks = questionBlocks(words, intro, open);
        return postOrLeave(context, key, { text, blocks }, key === posts.reminder);
      };
      await post(posts.first, words.text('home.question.intro', { app }));
      const reminds = open.remindAt !== null && open.remindAt <= context.now();
      if (reminds) await post(posts.reminder, words.text('home.question.reminder', { app }));
      return askAgain(open.question, reminds);
    },
  };
}

/**
 * Posts a message of a question. If Slack refuses the DM or does not confirm it, the step continues: Home shows the
 * question too. Exception: if a moment (such as `opened`) started the run, Home does not show the question. Then the
 * step fails if Slack refuses the first message.
 */
async function postOrLeave(
  context: StepContext,
  key: string,
  message: Parameters<StepContext['postOnce']>[1],
  isReminder: boolean,
): Promise<void> {
  try {
    // Passes no `scope`: the key already contains the run's id.
    await postOnce(context, key, message);
  } catch (error) {
    const isUnconfirmed = error instanceof AttemptEnded && error.end.kind === 'unconfirmed';
    const mayContinue = context.moment === undefined || isReminder;
    if (!isUnconfirmed && !(mayContinue && slackFailure(error)?.kind === 'refused')) throw error;
    context.log.warn({ err: error }, 'Slack refused or did not confirm the message that asks a question');
  }
}

/**
 * A question, with two values of the run that asks it: the run's user, and the life of the installation in which the
 * run was stored (each install after an uninstall begins a new life).
 */
type AskedQuestion = QuestionRecord & { askedUserId: string; life: number };

/**
 * Stores the answer to an open question. If the run that asked it is waiting, queues the run: the caller must then wake
 * the worker. Pass `isAllowed` if the installer or an admin answers; the person whom the question is for may always
 * answer. Resolves to the outcome and to the question after this call (`asked`), which is absent if there is no such
 * run or question.
 * @throws DatabaseUnavailableError
 */
export async function answerQuestion(
  database: Database,
  key: QuestionKey,
  given: { installationId: string; userId: string; isAllowed: boolean; answer: string; now: number },
): Promise<{ outcome: AnswerOutcome; asked?: AskedQuestion }> {
  return database.write(async (tx) => {
    // Locks the run, because the attempt that asks this question may be ending right now. If the end of the attempt was
    // committed before this lock, the run is already waiting, and the code below queues the run. Otherwise, the attempt
    // ends after the answer is committed, and its transaction sees the answer.
    const run = await tx
      .selectFrom('runs')
      .selectAll()
      .where('id', '=', key.runId)
      .where('installation_id', '=', given.installationId)
      .forUpdate()
      .executeTakeFirst();
    const stored = run && (await listQuestions(tx, key)).find((each) => each.questionId === key.questionId);
    if (!run || !stored) return { outcome: 'unknown' };
    const asked = { ...stored, askedUserId: run.user_id, life: run.life };
    if (!given.isAllowed && run.user_id !== given.userId) return { outcome: 'denied', asked };
    if (asked.answeredAt !== null) return { outcome: 'answered-before', asked };
    const isOver = asked.expiresAt !== null && asked.expiresAt <= given.now;
    const isOpen = ['queued', 'running', 'waiting'].includes(run.status);
    if (isOver || !isOpen) return { outcome: 'closed', asked };
    const answer = given.answer.trim();
    if (!isValid(asked.question.input, answer)) return { outcome: 'invalid', asked };
    const { userId, now } = given;
    await storeAnswer(tx, key, { answer, userId, now });
    if (run.status === 'waiting') await queueRun(tx, { id: run.id, now });
    return { outcome: 'answered', asked: { ...asked, answer, answeredBy: userId, answeredAt: now } };
  });
}

function isValid(input: QuestionInput, answer: string): boolean {
  switch (input.type) {
    case 'choice':
      return input.options.some(({ value }) => value === answer);
    case 'channel':
      return /^[CG][A-Z0-9]{2,30}$/.test(answer);
    case 'text':
      // Postgres stores no NUL.
      return answer !== '' && answer.length <= longestAnswer && !answer.includes('\0');
  }
}
