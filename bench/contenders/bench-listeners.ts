import type { App } from '@slack/bolt';

/** What the message listener does: nothing (`note`), or call Slack as Bolt's documentation shows (`reply`). */
export type ListenerWork = 'note' | 'reply';

/**
 * Adds the same listeners to every Bolt contender, so that Bolt really authorizes each event and calls a listener.
 * Calls `ended` for each event once all of its listeners have finished.
 * (docs.slack.dev/tools/bolt-js/concepts/message-sending)
 */
export function addBenchListeners(app: App, work: ListenerWork, ended: () => void): void {
  app.use(async ({ next }) => {
    await next();
    ended();
  });
  app.message(async ({ message, client, say }) => {
    if (work === 'note' || message.subtype !== undefined) return;
    await client.users.info({ user: message.user });
    await say(`Hey there <@${message.user}>!`);
  });
}

/** The work that the bench asked for in BENCH_LISTENER; `note` by default. */
export const listenerWork: ListenerWork = process.env.BENCH_LISTENER === 'reply' ? 'reply' : 'note';
