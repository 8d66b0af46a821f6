import type { Step } from '../pipeline/step.ts';
import { fetchProfile } from './fetch-profile.ts';
import { notifyOperators } from './notify-operators.ts';
import { publishHome } from './publish-home.ts';
import { registerTeam } from './register-team.ts';
import { registerUser } from './register-user.ts';
import { sendWelcome } from './send-welcome.ts';

/** The built-in steps by name, to be put where a definition wants them. */
export const steps = { registerTeam, registerUser, fetchProfile, sendWelcome, publishHome, notifyOperators };

/**
 * The built-in steps in their order. A run keeps the list that it was made with: a step that is added belongs to the
 * installs that follow.
 * @example install: [...builtInSteps(), startTrial]
 */
export function builtInSteps(): readonly Step[] {
  return [registerTeam, registerUser, fetchProfile, sendWelcome, publishHome, notifyOperators];
}
