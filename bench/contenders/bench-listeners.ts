import type { App } from '@slack/bolt';

/** What the listener for messages does: only be called; or call Slack as Bolt's own pages show. */
export type ListenerWork = 'note' | 'reply';

/**
 * Adds what every Bolt contender listens to, so that authorize and listeners really run. `ended` is called for each
 * event once all of its listeners have ended. (docs.slack.dev/tools/bolt-js/concepts/message-sending)
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

/** The work that the bench asked for. */
export const listenerWork: ListenerWork = process.env.BENCH_LISTENER === 'reply' ? 'reply' : 'note';
