import type { PublishHome, PublishRequest, PublishResult } from './publish-home.ts';

/**
 * One publish at a time for each person, and at most one more behind it, which reads the record when its turn comes: an
 * older view never overwrites a newer one, and a burst of changes costs two calls.
 */
export function publishInTurns(publish: PublishHome): PublishHome {
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
