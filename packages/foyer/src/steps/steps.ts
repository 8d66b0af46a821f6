import type { Step } from '../pipeline/step.ts';
import { fetchProfile } from './fetch-profile.ts';
import { notifyOperators } from './notify-operators.ts';
import { publishHome } from './publish-home.ts';
import { registerTeam } from './register-team.ts';
import { registerUser } from './register-user.ts';
import { sendWelcome } from './send-welcome.ts';

/**
 * What happens after an install, in this order. A run keeps the list that it was made with: a step that is added here
 * belongs to the installs that follow.
 */
export const steps: readonly Step[] = [
  registerTeam,
  registerUser,
  fetchProfile,
  sendWelcome,
  publishHome,
  notifyOperators,
];
