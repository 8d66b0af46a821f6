import type { Queries, Tx } from './database.ts';
/** A question that a step asks a person. `text` is shown as plain text, without markup. */
export interface Question {
  /** Names the question within its step: 1 to 60 letters, digits, dots, hyphens or underscores. */
  readonly id: string;
  /** One or two sentences, 1,500 characters at most. */
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

/** The most characters that an answer in words may have. */
export const longestAnswer = 3000;

/** Writes the key of a question as the value of its button. */
export function questionValue({ runId, stepName, questionId }: QuestionKey): string {
  return `${runId}/${stepName}/${questionId}`;
}

/** Reads the key from a button's value; undefined if the value is no such key. */
export function readQuestionValue(value: string): QuestionKey | undefined {
  const [runId, stepName, questionId, ...rest] = value.split('/');
  if (!runId || !stepName || !questionId || rest.length > 0) return undefined;
  return { runId, stepName, questionId };
}

/**
 * The outcome of an answer. invalid: the answer is empty, too long, or neither a choice nor a channel that the question
 * allows. answered-before: the first answer stays. denied: the person is not the run's own user, the installer or an
 * admin. closed: the run is over, or the question has expired. unknown: this installation has asked no such question.
 */
export type AnswerOutcome = 'answered' | 'answered-before' | 'denied' | 'invalid' | 'closed' | 'unknown';

/** A question that was asked, and its answer if one came. */
export interface QuestionRecord extends QuestionKey {
  question: Question;
  /** When the reminder is due; null once it was posted, or if the question expires within a day of being asked. */
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

/** Stores a question as JSON; returns false if it exists already. */
export async function storeQuestion(
  tx: Tx,
  asked: QuestionKey & { json: string; now: number; remindAt: number | null; expiresAt: number | null },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('questions')
    .values({
      ...keyColumns(asked),
      question: asked.json,
      asked_at: asked.now,
      remind_at: asked.remindAt,
      expires_at: asked.expiresAt,
    })
    .onConflict((conflict) => conflict.columns(['run_id', 'step_name', 'question_id']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** Reads the questions of a run, or of one of its steps; answered ones in the order of their answers. */
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

/** Stores an answer. The caller has locked the run's row, and has seen that there is no answer. */
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
