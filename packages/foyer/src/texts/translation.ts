import type { KnownScope, KnownUserScope } from '../slack/scope-sentences.ts';
import type { TextKey } from './languages/en.ts';

/** A step in words: before it is done, and while it runs. */
export interface StepTitle {
  readonly todo: string;
  readonly doing: string;
}

/** Foyer's own texts in one language. A missing key is a compile error. */
export interface Translation {
  readonly messages: Readonly<Record<TextKey, string>>;
  readonly scopes: Readonly<Record<KnownScope, string>>;
  readonly userScopes: Readonly<Record<KnownUserScope, string>>;
  /** The built-in steps, whose own titles are English. */
  readonly steps: Readonly<Record<string, StepTitle>>;
}

/** How the steps of the definition are shown, by name. */
export type StepFaces = Readonly<Record<string, StepFace | undefined>>;

/** How one step is shown. */
export interface StepFace {
  readonly title: StepTitle | undefined;
  /** Whether only operators see it: installers and members do not. */
  readonly forOperators: boolean;
}

/** Returns the faces of a list of steps. */
export function stepFaces(
  steps: readonly { readonly name: string; readonly title?: StepTitle; readonly forOperators?: boolean }[],
): StepFaces {
  const faces = steps.map(
    ({ name, title, forOperators = false }) => [name, { title, forOperators }] as const,
  );
  // Without a prototype: a step may be called `constructor`.
  return Object.assign(Object.create(null), Object.fromEntries(faces));
}

const unfinished: readonly string[] = ['pending', 'running', 'retrying'];

/**
 * Returns a run as installers and members see it: without the steps for operators, and over if nothing but such a step
 * is tried again. An operators' webhook that fails does not keep a workspace's setup open.
 */
export function runForInstallers<
  Run extends {
    status: string;
    steps: readonly { name: string; status: string; attempts: number }[];
  },
>(run: Run, faces: StepFaces): Run {
  const isForOperators = ({ name }: { name: string }): boolean => faces[name]?.forOperators === true;
  const steps = run.steps.filter((step) => !isForOperators(step));
  const isTriedAgain = run.steps.some(
    (step) =>
      isForOperators(step) &&
      (step.status === 'retrying' || (step.status === 'running' && step.attempts > 1)),
  );
  if (!isTriedAgain || steps.some(({ status }) => unfinished.includes(status))) return { ...run, steps };
  return { ...run, steps, status: steps.some(({ status }) => status === 'failed') ? 'failed' : 'succeeded' };
}
