import type { Platform } from '../platform.ts';
import type { Conversation, Installation } from '../world/records.ts';
import type { Visit } from './visit.ts';

/** How far each person has read their DM with the app. */
export function createReadMarks({ activity }: Platform) {
  /**
   * For each conversation, the timestamp of the newest message that was read. Each DM with the app has only one human
   * reader.
   */
  const readUpTo = new Map<string, string>();
  activity.listen(({ kind }) => {
    if (kind === 'reset') readUpTo.clear();
  });
  return {
    markRead({ conversation }: Visit): void {
      const newest = conversation?.messages.at(-1);
      if (conversation && newest) readUpTo.set(conversation.id, newest.ts);
    },
    /** How many messages from the app the person has not seen. */
    unread(conversation: Conversation, { botUserId }: Pick<Installation, 'botUserId'>): number {
      const mark = readUpTo.get(conversation.id) ?? '';
      return conversation.messages.filter((each) => each.userId === botUserId && each.ts > mark).length;
    },
  };
}
