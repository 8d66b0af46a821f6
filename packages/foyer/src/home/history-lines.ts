import type { HistoryRecord } from '../database/history.ts';
import type { HistoryKind } from '../database/records.ts';
import { mention, slackDate } from './blocks.ts';

/**
 * Each kind of history in plain words; `who` is a mention, or undefined where nobody is known. What a line's detail
 * says is for operators: it stays in the command line.
 */
const words: Readonly<Record<HistoryKind, (who: string | undefined) => string>> = {
  installed: (who) => `Installed${by(who)}`,
  reinstalled: (who) => `Installed again${by(who)}`,
  user_authorized: (who) => (who ? `${who} connected their account` : 'Somebody connected their account'),
  uninstalled: () => 'Removed',
  tokens_revoked: (who) => (who ? `Access of ${who} was revoked` : 'Access was revoked'),
  token_died: () => 'Slack stopped accepting the token',
  access_granted: () => 'Added to a workspace',
  access_revoked: () => 'Taken out of a workspace',
  run_succeeded: () => 'Setup finished',
  run_failed: () => 'Setup ended, not everything worked',
  run_cancelled: () => 'Setup stopped',
  run_retried: (who) => `Setup tried again${by(who)}`,
  welcome_requested: (who) => `Another welcome asked for${by(who)}`,
  connected: () => 'Connected with an account',
  disconnected: () => 'Disconnected from an account',
  operator_action: () => 'The app’s team stepped in',
};

function by(who: string | undefined): string {
  return who ? ` by ${who}` : '';
}

/** History in the order given, at most `most` lines, and a line that says so where there is more. */
export function historyLines(history: readonly HistoryRecord[], most: number): string[] {
  const texts = history.slice(0, most).map(({ at, kind, userId }) => {
    return `${slackDate(at)} · ${words[kind](userId ? mention(userId) : undefined)}`;
  });
  return history.length > most ? [...texts, '_What is older is not listed here._'] : texts;
}
