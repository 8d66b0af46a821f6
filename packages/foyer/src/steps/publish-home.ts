import { type ActingStep, retryIn, StepError, skip } from '../pipeline/step.ts';
import { skipWithoutBot } from './register.ts';

/**
 * Publishes App Home for the installer, so that it is there when they first look.
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
