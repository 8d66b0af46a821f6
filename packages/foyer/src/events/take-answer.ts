import type { WebClient } from '@slack/web-api';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { type InstallRecord, registeredTeamId } from '../database/install-record.ts';
import { readOnceMessage } from '../database/once-messages.ts';
import { readLocale } from '../database/people/people.ts';
import type { AnswerOutcome, QuestionKey } from '../database/questions.ts';
import type { PublishHome } from '../home/publish-home.ts';
import { closedQuestion } from '../home/question-blocks.ts';
import { answerQuestion, questionPosts } from '../pipeline/questions.ts';
import type { Texts } from '../texts/create-texts.ts';

/** Stores an answer if it is valid and the person may give it. It may come from the DM, Home or the progress page. */
export type TakeAnswer = (
  record: InstallRecord,
  key: QuestionKey,
  given: { userId: string; isAllowed: boolean; answer: string; teamId?: string },
) => Promise<{
  outcome: AnswerOutcome;
  /** Publishes Home. If the question is answered or closed, first replaces the form in each message that asked it. */
  show(client: () => Promise<WebClient>): Promise<void>;
}>;

/**
 * Creates the function that stores an answer. That function's promise resolves when the answer is committed or refused.
 * The function itself does not call Slack; only the `show` in its result does.
 */
export function createTakeAnswer(deps: {
  database: Database;
  publishHome: PublishHome;
  texts: Texts;
  wakeWorker(): void;
  now: () => number;
  log: Logger;
}): TakeAnswer {
  const { database, log } = deps;

  /**
   * Replaces the form in each message that asked a question with `closed`, which shows the answer or says that no
   * answer is needed anymore.
   */
  async function closeMessages(
    client: WebClient,
    { installationId, life }: { installationId: string; life: number },
    closed: ReturnType<typeof closedQuestion>,
    posts: ReturnType<typeof questionPosts>,
  ): Promise<void> {
    for (const key of Object.values(posts)) {
      const post = await readOnceMessage(database.queries, { kind: 'post', installationId, life, key });
      if (!post?.channel_id || !post.message_ts) continue;
      try {
        await client.chat.update({ channel: post.channel_id, ts: post.message_ts, ...closed });
      } catch (error) {
        log.warn(
          { err: error, installationId },
          'could not show in Slack that a question is answered or closed',
        );
      }
    }
  }

  return async (record, key, { teamId, ...given }) => {
    const installationId = record.id;
    const { userId } = given;
    const answering = { installationId, ...given, now: deps.now() };
    const { outcome, asked } = await answerQuestion(database, key, answering);
    deps.wakeWorker();
    const isTaken = outcome === 'answered';
    log.info(
      { installationId, userId, ...key, outcome },
      isTaken ? 'a question was answered' : 'an answer was not accepted',
    );
    return {
      outcome,
      async show(client) {
        if (asked && outcome !== 'denied' && outcome !== 'invalid') {
          const person = { teamId: registeredTeamId(record), userId: asked.askedUserId };
          const locale = await readLocale(database.queries, { clientId: record.clientId, ...person });
          const closed = closedQuestion(deps.texts.forLocale(locale), asked);
          // Closes only the messages from the `life` in which the question was asked. If the app was uninstalled and
          // installed again after that, the installation has begun a new life.
          const posted = { installationId, life: asked.life };
          await closeMessages(await client(), posted, closed, questionPosts(key));
        }
        await deps.publishHome({ installationId, userId, teamId });
      },
    };
  };
}
