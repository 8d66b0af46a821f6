import type { HistoryRecord } from '../database/history.ts';
import type { Words } from '../texts/create-texts.ts';
import { mention, slackDate } from './blocks.ts';

/**
 * History in the order given, at most `most` lines, and a line that says so if there is more. The detail of an entry is
 * for operators: it stays in the command line.
 */
export function historyLines(words: Words, history: readonly HistoryRecord[], most: number): string[] {
  const texts = history.slice(0, most).map(({ at, kind, userId }) => {
    const who = userId === null ? 'none' : mention(userId);
    return `${slackDate(at)} · ${words.text(`home.history.${kind}`, { who })}`;
  });
  return history.length > most ? [...texts, `_${words.text('home.history.older')}_`] : texts;
}
