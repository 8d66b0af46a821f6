import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Bodies are bounded each and in sum (invariant 10). Each is joined in one buffer as its pieces come, so that a body of
 * one-byte pieces costs what it holds and not an object for each piece. All bodies under way in one Foyer share a
 * budget, and only bytes that have arrived count: a client cannot reserve memory by announcing a length.
 */

/** Larger bodies are refused: Slack's are far smaller. */
export const mostBodyBytes = 1024 * 1024;
/** What all bodies under way may hold together. */
export const bodyBudgetBytes = 16 * 1024 * 1024;
/** Slack's bodies are rarely larger than this; so many that are get read at once. */
const largeBytes = 64 * 1024;
const mostLargeAtOnce = 8;
/** A body has to be complete by then, also in a server that sets no time limit of its own. */
const completeWithinMs = 8000;
/** When the budget is spent, a body that is under way for this long gives way to a new one. */
const mayStayMs = 1000;
const firstBytes = 16 * 1024;
/** How long the rest of a refused body is read, and of how many at once. */
const lingerMs = 1000;
const mostLingering = 32;

/** Why a body was not read, as an HTTP status. 500: the host's body parser has read it; 503: the budget is spent. */
export type BodyRefusal = 400 | 408 | 413 | 500 | 503;

/** Reads bodies within one budget. */
export interface BodyReader {
  /** Resolves to the whole body, or to the HTTP status that refuses it. Never rejects. */
  read(req: IncomingMessage, mostBytes?: number): Promise<Buffer | BodyRefusal>;
  /**
   * Refuses a request with this status and closes its connection, once the sender has stopped sending or a second later.
   * Until then what comes is read and dropped: a connection that is closed with bytes unread is reset, and a client that
   * sends 20 MiB at once would get an EPIPE instead of the answer. Under a flood the connection is closed at once, since
   * reading what nobody keeps costs the others their turn.
   */
  refuse(req: IncomingMessage, res: ServerResponse, status: number): void;
  /** What the bodies under way hold now, in bytes. */
  heldBytes(): number;
}

/**
 * The body of a request that the host's body parser has read before: its bytes, if the parser kept them as `rawBody`
 * (as Google's functions and `verify` of Express's parsers do).
 */
export function bodyReadBefore(req: IncomingMessage, mostBytes: number): Buffer | BodyRefusal {
  const raw: unknown = 'rawBody' in req ? req.rawBody : undefined;
  const body = typeof raw === 'string' || raw instanceof Uint8Array ? Buffer.from(raw) : undefined;
  if (!body) return 500;
  return body.length > mostBytes ? 413 : body;
}

/** One body under way. */
interface Reading {
  heldBytes: number;
  isLarge: boolean;
  startedAt: number;
  settle(result: Buffer | BodyRefusal): void;
}

/**
 * Makes the reader of one Foyer's bodies.
 *
 * Why our own: it stands on every event's way, where `raw-body` and what it brings costs ten times as much, and it has
 * no budget.
 */
export function createBodyReader(
  options: { budgetBytes?: number; completeWithinMs?: number } = {},
): BodyReader {
  const budgetBytes = options.budgetBytes ?? bodyBudgetBytes;
  const withinMs = options.completeWithinMs ?? completeWithinMs;
  /** The oldest first. */
  const underWay = new Set<Reading>();
  let held = 0;
  let large = 0;
  let lingering = 0;

  /** Ends the oldest body of those that count, if it is under way for a while. */
  function giveWay(reading: Reading, counts: (other: Reading) => boolean): boolean {
    for (const oldest of underWay) {
      if (!counts(oldest)) continue;
      if (oldest === reading || performance.now() - oldest.startedAt < mayStayMs) return false;
      oldest.settle(503);
      return true;
    }
    return false;
  }

  /** Takes `bytes` from the budget for a body; false if it is spent and no older body can give way. */
  function reserve(reading: Reading, bytes: number): boolean {
    while (held + bytes > budgetBytes) {
      if (!giveWay(reading, (other) => other.heldBytes > 0)) return false;
    }
    held += bytes;
    reading.heldBytes += bytes;
    return true;
  }

  /** Takes a place among the large bodies; false if there is none. */
  function becomeLarge(reading: Reading): boolean {
    if (reading.isLarge) return true;
    if (large >= mostLargeAtOnce && !giveWay(reading, (other) => other.isLarge)) return false;
    reading.isLarge = true;
    large += 1;
    return true;
  }

  return {
    heldBytes: () => held,

    refuse(req, res, status) {
      if (res.headersSent) return;
      const retry = status === 503 ? { 'Retry-After': '5' } : {};
      // With these headers the answer is whole; only the connection stays until `end`.
      res.writeHead(status, { 'Content-Length': 0, Connection: 'close', ...retry });
      // Behind `fetch` there is no connection to keep open.
      if (!req.socket || req.readableEnded) return void res.end();
      if (lingering >= mostLingering) {
        res.end(() => req.socket.destroy());
        return;
      }
      lingering += 1;
      res.flushHeaders();
      let isOver = false;
      const end = (): void => {
        if (isOver) return;
        isOver = true;
        lingering -= 1;
        clearTimeout(timer);
        res.end();
      };
      const timer = setTimeout(end, lingerMs);
      req.on('end', end).on('close', end).on('error', end).resume();
    },

    read(req, mostBytes = mostBodyBytes) {
      const announced = Number(req.headers['content-length'] ?? 0);
      if (announced > mostBytes) return Promise.resolve(413);
      if (req.readableEnded) return Promise.resolve(bodyReadBefore(req, mostBytes));
      return new Promise((resolve) => {
        let joined: Buffer | undefined;
        let length = 0;

        const settle = (result: Buffer | BodyRefusal): void => {
          if (!underWay.delete(reading)) return;
          held -= reading.heldBytes;
          if (reading.isLarge) large -= 1;
          clearTimeout(timer);
          joined = undefined;
          req.off('data', keep);
          if (typeof result === 'number') req.pause();
          resolve(result);
        };
        const startedAt = performance.now();
        const reading: Reading = { heldBytes: 0, isLarge: false, startedAt, settle };

        /** Makes room for `bytes` more; the room doubles, so that a body is copied once or twice in all. */
        function grow(bytes: number): Buffer | undefined {
          const needed = length + bytes;
          if (joined && needed <= joined.length) return joined;
          const size = Math.min(mostBytes, Math.max(firstBytes, needed, 2 * (joined?.length ?? 0)));
          if (!reserve(reading, size - (joined?.length ?? 0))) return undefined;
          const larger = Buffer.allocUnsafeSlow(size);
          joined?.copy(larger, 0, 0, length);
          joined = larger;
          return joined;
        }

        /** Keeps a piece; returns why not, if it is refused. */
        function join(piece: Buffer): BodyRefusal | undefined {
          if (length + piece.length > mostBytes) return 413;
          if (length + piece.length > largeBytes && !becomeLarge(reading)) return 503;
          // What Slack sends comes in one piece as a rule: it is kept as it is.
          if (length === 0 && piece.length === announced) {
            if (!reserve(reading, piece.length)) return 503;
            joined = piece;
          } else {
            const room = grow(piece.length);
            if (!room) return 503;
            piece.copy(room, length);
          }
          length += piece.length;
          return undefined;
        }

        function keep(piece: Buffer): void {
          const refusal = join(piece);
          if (refusal) settle(refusal);
        }

        underWay.add(reading);
        if (announced > largeBytes && !becomeLarge(reading)) {
          underWay.delete(reading);
          return resolve(503);
        }
        const timer = setTimeout(() => settle(408), withinMs);
        req.on('data', keep);
        req.on('end', () => settle(joined ? joined.subarray(0, length) : Buffer.alloc(0)));
        // The sender hung up; after the end this means nothing any more.
        req.on('close', () => settle(400));
        req.on('error', () => settle(400));
      });
    },
  };
}
