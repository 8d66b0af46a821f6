/**
 * Thrown by a listener that cannot do its work yet and has done nothing. Foyer then calls every listener of this event
 * again after one second, after another ten seconds and after another minute, until none of them throws this error.
 * Slack does not send the event again, since Foyer has acknowledged it. If the process stops before the next call, the
 * event is lost: put work that must not be lost into your own table or a job.
 *
 * @example
 * app.event('app_mention', async ({ event }) => {
 *   const answer = await ask(event.text).catch((cause) => {
 *     throw new RepeatEventError('The assistant is down', { cause });
 *   });
 * });
 */
export class RepeatEventError extends Error {
  override readonly name = 'RepeatEventError';
  readonly code = 'repeat_event';
}

/** Returns whether an error from Bolt is a listener's RepeatEventError, or contains one. */
export function asksForRepeat(error: unknown): boolean {
  if (error instanceof RepeatEventError) return true;
  if (typeof error !== 'object' || error === null) return false;
  const { original, originals } = error as { original?: unknown; originals?: unknown };
  const causes = Array.isArray(originals) ? originals : [original];
  return causes.some((cause) => cause instanceof RepeatEventError);
}
