import { ask, type Step } from 'slack-foyer';

/**
 * Asks the installer which channel to notify, and posts there once. Add it to `install` in `src/foyer.ts`. Also add the
 * scope `chat:write.public` to the manifest, since without this scope the app can post only in channels that it is in.
 *
 * Safe to run twice: the answer is stored, and `postOnce` sends one message for its key.
 */
export const chooseChannel: Step<{ channelId: string }> = {
  name: 'choose-channel',
  title: { todo: 'Choose a channel to notify', doing: 'Waiting for you to choose a channel' },
  async run({ answer, postOnce }) {
    if (answer === undefined) {
      return ask({ id: 'channel', text: 'Which channel should I notify?', input: { type: 'channel' } });
    }
    await postOnce('first-notice', { channel: answer, text: 'I will post notifications here.' });
    return { channelId: answer };
  },
};
