import type { Queries, Tx } from './database.ts';
/** A question that a step asks a person. */
export interface Question {
  /** Names the question within its step: 1 to 60 letters, digits, dots, hyphens or underscores. */
  readonly id: string;
  /** One or two sentences, 1,500 characters at most. Shown as plain text, without markup. */
  readonly text: string;
  readonly input: QuestionInput;
  /** How long the person may take to answer; after that, the step is skipped as `unanswered`. Unlimited by default. */
  readonly timeLimitMs?: number;
}

/** How a question is answered: by a choice, by a channel, or in words. */
export type QuestionInput =
  | {
      readonly type: 'choice';
      readonly options: readonly { readonly value: string; readonly label: string }[];
    }
  | { readonly type: 'channel' }
  | { readonly type: 'text' };

/** Identifies a question. A step may use each question id once in a run. */
export interface QuestionKey {
  runId: string;
  stepName: string;
  questionId: string;
}

/** The maximum number of characters in an answer that a person types. */
export const longestAnswer = 3000;

/** Writes the key of a question as the value of its button. */
export function questionValue({ runId, stepName, questionId }: QuestionKey): string {
  return `${runId}/${stepName}/${questionId}`;
}

/** Reads the key from a button's value; returns undefined if the value is not a question's key. */
export function readQuestionValue(value: string): QuestionKey | undefined {
  const [runId, stepName, questionId, ...rest] = value.split('/');
  if (!runId || !stepName || !questionId || rest.length > 0) return undefined;
  return { runId, stepName, questionId };
}

/**
 * The outcome of an answer. answered-before: the first answer stays. denied: only the run's own user, the installer and
 * admins may answer. invalid: the answer is empty or too long, or it is a choice or channel that the question does not
 * allow. closed: the run has ended, or the question has expired. unknown: this installation has asked no such question.
 */
export type AnswerOutcome = 'answered' | 'answered-before' | 'denied' | 'invalid' | 'closed' | 'unknown';

/** A question that a step asked, and its answer if there is one. */
export interface QuestionRecord extends QuestionKey {
  question: Question;
  /** When to post the reminder; null if it was posted, or if the question expires within a day of being asked. */
  remindAt: number | null;
  expiresAt: number | null;
  answer: string | null;
  answeredBy: string | null;
  answeredAt: number | null;
}

const keyColumns = ({ runId, stepName, questionId }: QuestionKey) => ({
  run_id: runId,
  step_name: stepName,
  question_id: questionId,
});

/** Foyer posts one reminder, this long after a step asked its question. */
const remindAfterMs = 24 * 60 * 60 * 1000;

/**
 * Computes two times for a question that a step asks at `now`. The question expires at `expiresAt`, which is null
 * without a time limit. Foyer posts the reminder at `remindAt`, which is null if the question expires within a day.
 */
export function questionTimes(now: number, limitMs: number | undefined) {
  const expiresAt = limitMs === undefined ? null : now + limitMs;
  const remindAt = limitMs !== undefined && limitMs <= remindAfterMs ? null : now + remindAfterMs;
  return { expiresAt, remindAt };
}

/** Restarts the time limits and reminders of a run's open questions, if their steps are among `stepNames`. */
export async function restartQuestions(
  tx: Tx,
  { runId, stepNames, now }: { runId: string; stepNames: readonly string[]; now: number },
): Promise<void> {
  for (const asked of await listQuestions(tx, { runId })) {
    if (asked.answeredAt !== null || !stepNames.includes(asked.stepName)) continue;
    const { expiresAt: expires_at, remindAt: remind_at } = questionTimes(now, asked.question.timeLimitMs);
    await tx
      .updateTable('questions')
      .set({ expires_at, remind_at })
      .where((eb) => eb.and(keyColumns(asked)))
      .execute();
  }
}

/**
 * Stores a question as JSON; returns false if the question is stored already. There is one exception: if the answer was
 * erased with the rest of a person's data, opens the stored question again and returns true.
 */
export async function storeQuestion(
  tx: Tx,
  asked: QuestionKey & { json: string; now: number; remindAt: number | null; expiresAt: number | null },
): Promise<boolean> {
  const { json: question, now: asked_at, remindAt: remind_at, expiresAt: expires_at } = asked;
  const open = { question, asked_at, remind_at, expires_at, answered_at: null };
  const stored = await tx
    .insertInto('questions')
    .values({ ...keyColumns(asked), ...open })
    .onConflict((conflict) =>
      conflict
        .columns(['run_id', 'step_name', 'question_id'])
        .doUpdateSet(open)
        .where('questions.answered_at', 'is not', null)
        .where('questions.answer', 'is', null),
    )
    .returning('question_id')
    .executeTakeFirst();
  return stored !== undefined;
}

/** Reads the questions of a run, or of one of its steps. Answered ones come in the order of their answers. */
export async function listQuestions(
  queries: Queries,
  { runId, stepName }: { runId: string; stepName?: string },
): Promise<QuestionRecord[]> {
  const rows = await queries
    .selectFrom('questions')
    .select(['run_id as runId', 'step_name as stepName', 'question_id as questionId', 'question'])
    .select(['remind_at as remindAt', 'expires_at as expiresAt'])
    .select(['answer', 'answered_by as answeredBy', 'answered_at as answeredAt'])
    .where((eb) => eb.and({ run_id: runId, step_name: stepName }))
    .orderBy('answered_at')
    .execute();
  return rows.map((row) => ({ ...row, question: JSON.parse(row.question) as Question }));
}

/** Records that the reminder was posted. */
export async function noteReminded(tx: Tx, key: QuestionKey): Promise<void> {
  await tx
    .updateTable('questions')
    .set({ remind_at: null })
    .where((eb) => eb.and(keyColumns(key)))
    .execute();
}

/** Stores an answer. The caller must have locked the run's row, and checked that the question has no answer yet. */
export async function storeAnswer(
  tx: Tx,
  key: QuestionKey,
  given: { answer: string; userId: string; now: number },
): Promise<void> {
  await tx
    .updateTable('questions')
    .set({ answer: given.answer, answered_by: given.userId, answered_at: given.now })
    .where((eb) => eb.and(keyColumns(key)))
    .where('answered_at', 'is', null)
    .execute();
}
