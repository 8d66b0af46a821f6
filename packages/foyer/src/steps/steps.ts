import type { Step } from '../pipeline/step.ts';
import { notifyOperators } from './notify-operators.ts';
import { publishHome } from './publish-home.ts';
import { fetchProfile, registerTeam, registerUser } from './register.ts';
import { sendWelcome } from './send-welcome.ts';

/** The built-in steps by name, for a definition that places them itself. */
export const steps = { registerTeam, registerUser, fetchProfile, sendWelcome, publishHome, notifyOperators };

/**
 * The built-in steps in their order. A run keeps the list that it was created with: a step that is added later runs in
 * later installs only.
 * @example install: [...builtInSteps(), startTrial]
 */
export function builtInSteps(): readonly Step[] {
  return [registerTeam, registerUser, fetchProfile, sendWelcome, publishHome, notifyOperators];
}
