/**
 * Thrown by a listener that cannot do its work yet and has done nothing: every listener of this event hears it again, a
 * second, ten seconds and a minute later. Slack itself does not repeat the event, since it was acknowledged before. A
 * process that stops in the meantime forgets it: work that must not be lost belongs in a table of yours or a job.
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

/** Whether an error of Bolt's says that a listener asked for the event again: alone, or among several that failed. */
export function asksForRepeat(error: unknown): boolean {
  if (error instanceof RepeatEventError) return true;
  if (typeof error !== 'object' || error === null) return false;
  const { original, originals } = error as { original?: unknown; originals?: unknown };
  const causes = Array.isArray(originals) ? originals : [original];
  return causes.some((cause) => cause instanceof RepeatEventError);
}
