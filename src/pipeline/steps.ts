import type { Step } from './step.ts';
import { fetchProfile } from './steps/fetch-profile.ts';
import { notifyOperators } from './steps/notify-operators.ts';
import { publishHome } from './steps/publish-home.ts';
import { registerTeam } from './steps/register-team.ts';
import { registerUser } from './steps/register-user.ts';
import { sendWelcome } from './steps/send-welcome.ts';

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
