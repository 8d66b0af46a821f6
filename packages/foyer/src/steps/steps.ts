import { type ActingStep, retryIn, type Step, StepError, skip } from '../pipeline/step.ts';
import { notifyOperators } from './notify-operators.ts';
import { fetchProfile, registerTeam, registerUser, skipWithoutBot } from './register.ts';
import { sendWelcome } from './send-welcome.ts';

/**
 * Publishes App Home for the installer, so that Home is ready when they first open it.
 *
 * Safe to run twice: each publish shows the current record, regardless of what was shown before.
 */
export const publishHome: ActingStep<{ published: boolean }> = {
  name: 'publish-home',
  title: { todo: 'Publish App Home', doing: 'Publishing App Home' },
  required: false,
  timeLimitMs: 30_000,
  maxAttempts: 8,
  unneeded: skipWithoutBot,
  async run(context) {
    const { installationId, userId, workspaceId } = context;
    const request = { installationId, userId, ...(workspaceId !== null && { teamId: workspaceId }) };
    const result = await context.services.publishHome(request);
    switch (result.reason) {
      case 'sent':
      case 'unchanged':
        return { published: result.published };
      case 'not_installed':
        return skip('not_installed', 'The installation is gone');
      case 'not_enabled':
        return skip('not_enabled', 'The app’s Home tab is turned off');
      case 'rate_limited':
        return retryIn(result.failure.retryAfterMs ?? 30_000, result.failure);
      case 'unreachable':
        throw new StepError(result.failure.code, result.failure.message, { final: false });
      case 'token_dead':
      case 'refused':
        throw new StepError(result.failure.code, result.failure.message, { final: true });
    }
  },
};

/** The built-in steps by name, for a definition that chooses their order itself. */
export const steps = { registerTeam, registerUser, fetchProfile, sendWelcome, publishHome, notifyOperators };

/**
 * The built-in steps in their order. A run keeps the list that it was created with: a step that is added later runs in
 * later installs only.
 * @example install: [...builtInSteps(), startTrial]
 */
export function builtInSteps(): readonly Step[] {
  return [registerTeam, registerUser, fetchProfile, sendWelcome, publishHome, notifyOperators];
}
