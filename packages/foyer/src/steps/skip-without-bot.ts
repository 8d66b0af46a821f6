import { type Skip, type StepFacts, skip } from '../pipeline/step.ts';

/** Skips a step that needs a bot if the install gave the app none. */
export function skipWithoutBot({ botScopes }: StepFacts): Skip | undefined {
  return botScopes === null ? skip('no_bot', 'This install gave the app no bot') : undefined;
}
