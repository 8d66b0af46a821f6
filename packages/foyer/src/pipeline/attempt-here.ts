import { CompiledQuery } from 'kysely';
import type { Tx } from '../database/database.ts';
import type { Attempt } from './attempt-step.ts';
import type { ActingStep, Step, StepFacts } from './step.ts';
import { stepFailure } from './step-failure.ts';

/**
 * Attempts a step in the transaction that moves its run on, where that can be: one that only writes, or for which there
 * is nothing to do. Any other acts, once the transaction is committed that begins it.
 * @throws DatabaseUnavailableError
 */
export async function attemptHere(
  transaction: Tx,
  step: Step,
  facts: StepFacts,
): Promise<Attempt | { kind: 'acts'; step: ActingStep }> {
  try {
    const skip = step.unneeded?.(facts);
    if (skip) return { kind: 'returned', result: skip };
    if (step.run) return { kind: 'acts', step };
    const result = await undoneIfItThrows(transaction, () => step.write(transaction, facts));
    return { kind: 'returned', result };
  } catch (error) {
    return threw(error);
  }
}

/** Writes what an attempt has learnt; where that cannot be written, the attempt has failed. @throws DatabaseUnavailableError */
export async function writeLearnt(transaction: Tx, attempt: Attempt): Promise<Attempt> {
  if (attempt.kind !== 'returned' || !attempt.write) return attempt;
  const { write, result } = attempt;
  try {
    await undoneIfItThrows(transaction, () => write(transaction));
    return { kind: 'returned', result };
  } catch (error) {
    return threw(error);
  }
}

function threw(error: unknown): Attempt {
  const failure = stepFailure(error);
  // Not the step's fault: the whole transaction is done again, or given up.
  if (failure.kind === 'database') throw error;
  return { kind: 'threw', failure, error };
}

/** What one write leaves behind is not to be seen by the others, and in Postgres would fail them. */
async function undoneIfItThrows<T>(transaction: Tx, work: () => Promise<T>): Promise<T> {
  const say = (command: string) => transaction.executeQuery(CompiledQuery.raw(command));
  await say('savepoint step');
  try {
    const value = await work();
    await say('release savepoint step');
    return value;
  } catch (error) {
    // A database that has failed may have given up the transaction, and the savepoint with it.
    if (stepFailure(error).kind !== 'database') await say('rollback to savepoint step');
    throw error;
  }
}
