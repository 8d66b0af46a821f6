import { setTimeout as sleep } from 'node:timers/promises';
import {
  announceView,
  confirmView,
  listLookers,
  noteHomeOpened,
  prepareShownView,
} from '../database/home-views.ts';
import { InstallationNotFoundError } from '../installations/installation-store.ts';
import type { TokenSource } from '../installations/token-source.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { type SlackFailure, slackFailure } from '../slack/slack-failure.ts';
import type { PublishHome, PublishRequest, PublishResult, RepublishHome } from './publish-home.ts';
import { createReadHome, type Home, type ReadHome, type ReadHomeDeps, sendView } from './read-home.ts';

/**
 * How several machines keep Home current:
 * 1. Read the hash of the view that was announced last.
 * 2. Read the record and make the view.
 * 3. Announce this view by storing its hash, unless another machine has announced a view since step 1.
 * 4. Send the view, and check whether another machine has announced a view since step 3.
 *
 * If step 3 or 4 finds another machine's view, start again. As a result, the view that Slack receives last shows the
 * newest record that any machine has read.
 */

/**
 * The longest time that Foyer waits for a Retry-After. If Slack asks for a longer wait, Foyer publishes only at the
 * next change, or when the person next opens Home.
 */
const longestWaitMs = 10_000;
/** After a person has opened Home, Foyer assumes for this long that they are looking at it. */
const lookingForMs = 60 * 60 * 1000;
const mostLookers = 20;
/**
 * If the view has not changed, Foyer records an opening of Home only if the last recorded opening is at least this old.
 * Otherwise, every opening would cost a commit.
 */
const noteAgainMs = 10 * 60 * 1000;

const unchanged: PublishResult = { published: false, reason: 'unchanged' };

/**
 * Creates the functions that publish and read Home. If Slack names a Retry-After, Foyer calls `wait` with that time in
 * milliseconds.
 */
export function createPublishHome(
  deps: ReadHomeDeps & {
    slack: SlackClientFactory;
    /** Returns the bot's current token. May reject with the error of a token refresh. */
    botToken: TokenSource['botToken'];
    /**
     * Called after a failed call to Slack, with the token that was used. Marks the installation broken if the token is
     * dead.
     */
    reportDeadToken: TokenSource['reportDeadToken'];
    wait?: (ms: number) => Promise<unknown>;
  },
): { publishHome: PublishHome; republishHome: RepublishHome; readHome: ReadHome } {
  const { database, now, log } = deps;
  const wait = deps.wait ?? ((ms) => sleep(ms, undefined, { ref: false }));
  const readShown = prepareShownView(database);
  const readHome = createReadHome(deps);
  // One client for all calls, since creating a client costs as much as a call. Each call passes its own token.
  const slack = deps.slack(undefined);

  async function publishOnce(request: PublishRequest, triesLeft = 3): Promise<PublishResult> {
    const at = now();
    // The shown view is read before the install record. If another machine then announces a view, `announceView` fails.
    const shown = await readShown(request);
    const home = await readHome(request);
    if (!home) return { published: false, reason: 'not_installed' };
    if (!home.hasSections && shown?.publishedHash === home.hash) {
      const isNoted = at >= shown.openedAt && at - shown.openedAt < noteAgainMs;
      if (request.opened && !isNoted) await noteHomeOpened(database, request, at);
      return unchanged;
    }
    const isAnnounced = await announceView(database, request, {
      hash: home.hash,
      lastSent: shown?.sendingHash ?? null,
      openedAt: request.opened ? at : 0,
    });
    if (isAnnounced) return publishAnnounced(request, home, triesLeft);
    // If every try fails because another machine has announced a view, Foyer sends nothing. The machine that announced
    // the last view read the install record after this request arrived, so that view is current.
    return triesLeft > 0 ? publishOnce(request, triesLeft - 1) : unchanged;
  }

  async function publishAnnounced(
    request: PublishRequest,
    home: Home,
    triesLeft: number,
  ): Promise<PublishResult> {
    const { id: installationId, teamId } = home.record;
    const token = await tokenOf(installationId);
    if (token === undefined) return { published: false, reason: 'not_installed' };
    try {
      const address = { token, userId: request.userId, teamId: request.teamId ?? teamId };
      await sendView(slack, address, home, log.child(ids(request)));
    } catch (error) {
      const failure = slackFailure(error);
      if (!failure) throw error;
      await deps.reportDeadToken({ installationId, token, error });
      log.warn({ ...ids(request), error: failure.code }, 'Home was not published');
      return { published: false, reason: reasonOf(failure), failure };
    }
    const isLatest = await confirmView(database, request, home.hash);
    if (!isLatest && triesLeft > 0) return publishOnce(request, triesLeft - 1);
    log.debug(ids(request), 'published Home');
    return { published: true, reason: 'sent' };
  }

  /** Returns the bot's token; undefined if the installation has no bot, for example after an uninstall. */
  async function tokenOf(installationId: string): Promise<string | undefined> {
    try {
      return await deps.botToken(installationId);
    } catch (error) {
      if (error instanceof InstallationNotFoundError) return undefined;
      throw error;
    }
  }

  async function publishPatiently(request: PublishRequest): Promise<PublishResult> {
    const first = await publishOnce(request);
    const waitMs =
      first.reason === 'rate_limited' ? (first.failure.retryAfterMs ?? longestWaitMs) : undefined;
    if (waitMs === undefined || waitMs > longestWaitMs) return first;
    await wait(waitMs);
    return publishOnce(request);
  }

  const publishHome = publishInTurns(publishPatiently);

  return {
    publishHome,
    readHome,
    async republishHome(installationId) {
      const openedAfter = now() - lookingForMs - noteAgainMs;
      const userIds = await listLookers(database, installationId, { openedAfter, most: mostLookers });
      return Promise.all(userIds.map((userId) => publishHome({ installationId, userId })));
    },
  };
}

function reasonOf(
  failure: SlackFailure,
): 'not_enabled' | 'token_dead' | 'rate_limited' | 'unreachable' | 'refused' {
  if (failure.code === 'not_enabled') return 'not_enabled';
  const reasons = {
    'token-dead': 'token_dead',
    'rate-limited': 'rate_limited',
    unreachable: 'unreachable',
    refused: 'refused',
  } as const;
  return reasons[failure.kind];
}

function ids({ installationId, userId }: PublishRequest): { installationId: string; userId: string } {
  return { installationId, userId };
}

/**
 * Publishes one view at a time for each person. At most one more publish waits, and it reads the record when its turn
 * comes. So an older view never overwrites a newer one, and many changes in a short time cost only two calls.
 */
function publishInTurns(publish: PublishHome): PublishHome {
  interface Turn {
    result: Promise<PublishResult>;
    next?: { request: PublishRequest; result: Promise<PublishResult> };
  }
  const turns = new Map<string, Turn>();

  function begin(key: string, request: PublishRequest): Promise<PublishResult> {
    const turn: Turn = { result: publish(request) };
    turns.set(key, turn);
    const end = () => {
      if (!turn.next) turns.delete(key);
    };
    turn.result.then(end, end);
    return turn.result;
  }

  return (request) => {
    const key = `${request.installationId} ${request.userId}`;
    const turn = turns.get(key);
    if (!turn) return begin(key, request);
    if (turn.next) {
      Object.assign(turn.next.request, merged(turn.next.request, request));
      return turn.next.result;
    }
    const waiting = { ...request };
    const beginNext = () => begin(key, waiting);
    turn.next = { request: waiting, result: turn.result.then(beginNext, beginNext) };
    return turn.next.result;
  };
}

function merged(earlier: PublishRequest, later: PublishRequest): PublishRequest {
  const teamId = later.teamId ?? earlier.teamId;
  return { ...earlier, ...(teamId && { teamId }), opened: earlier.opened || later.opened };
}
