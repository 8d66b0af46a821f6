import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Limits the size of each request body and of all bodies together (invariant 10). Foyer joins the pieces of a body in
 * one buffer as they arrive. Otherwise, a body that arrives in one-byte pieces would cost an object for each byte. All
 * bodies that one Foyer is reading share a budget. Only bytes that have arrived count, so a client cannot reserve
 * memory by announcing a length.
 */

/** The size limit of a body. Slack's bodies are far smaller. */
export const mostBodyBytes = 1024 * 1024;
/** The most memory, in bytes, that all bodies in progress may use together. */
const bodyBudgetBytes = 16 * 1024 * 1024;
/** Slack's bodies are rarely larger than this. Foyer reads only a few larger ones at the same time. */
const largeBytes = 64 * 1024;
const mostLargeAtOnce = 8;
/**
 * The time limit for receiving a whole body. Foyer applies it in the host's server too, which may have no such limit.
 */
const completeWithinMs = 8000;
/**
 * If there is no room for a body, Foyer stops reading the oldest body in progress, but only if that body began at least
 * this long ago.
 */
const mayStayMs = 1000;
const firstBytes = 16 * 1024;
/** How long Foyer continues to read a refused body, and how many refused bodies it reads at the same time. */
const lingerMs = 1000;
const mostLingering = 32;

/**
 * The HTTP status that says why Foyer could not read a body. 500: the host's body parser read the body first and did
 * not keep its bytes. 503: other bodies leave no room.
 */
export type BodyRefusal = 400 | 408 | 413 | 500 | 503;

/**
 * Call this if the host's body parser has already read the body. If the parser kept the bytes as `rawBody`, returns
 * them, or 413 if they are too many. Otherwise, returns 500. Google's functions keep `rawBody`; the `verify` option of
 * Express's parsers can do so.
 */
export function bodyReadBefore(req: IncomingMessage, mostBytes: number): Buffer | BodyRefusal {
  const raw: unknown = 'rawBody' in req ? req.rawBody : undefined;
  const body = typeof raw === 'string' || raw instanceof Uint8Array ? Buffer.from(raw) : undefined;
  if (!body) return 500;
  return body.length > mostBytes ? 413 : body;
}

/** One body in progress. */
interface Reading {
  heldBytes: number;
  isLarge: boolean;
  startedAt: number;
  settle(result: Buffer | BodyRefusal): void;
}

/**
 * Creates the reader of all request bodies of one Foyer.
 *
 * Why not `raw-body`: Foyer reads a body for every event. `raw-body` and its dependencies take ten times as long, and
 * `raw-body` has no budget.
 */
export function createBodyReader(options: { budgetBytes?: number; completeWithinMs?: number } = {}) {
  const budgetBytes = options.budgetBytes ?? bodyBudgetBytes;
  const withinMs = options.completeWithinMs ?? completeWithinMs;
  /** Oldest first. */
  const underWay = new Set<Reading>();
  let held = 0;
  let large = 0;
  let lingering = 0;
  let isTimed = false;

  /**
   * Stops reading bodies that take too long. Checks after `ms`, and again when the oldest remaining body reaches its
   * time limit. Why all bodies share one timer: a timer for each body would take more time than reading most bodies.
   */
  function endLateIn(ms: number): void {
    if (isTimed) return;
    isTimed = true;
    const end = (): void => {
      isTimed = false;
      for (const { startedAt, settle } of underWay) {
        const leftMs = startedAt + withinMs - performance.now();
        if (leftMs > 0) {
          endLateIn(leftMs);
          return;
        }
        settle(408);
      }
    };
    setTimeout(end, ms).unref();
  }

  /**
   * Makes room for `reading`. Finds the oldest reading for which `counts` returns true, ends it and returns true.
   * Returns false if there is none, if it is `reading` itself, or if it began too recently.
   */
  function giveWay(reading: Reading, counts: (other: Reading) => boolean): boolean {
    for (const oldest of underWay) {
      if (!counts(oldest)) continue;
      if (oldest === reading || performance.now() - oldest.startedAt < mayStayMs) return false;
      oldest.settle(503);
      return true;
    }
    return false;
  }

  /**
   * Reserves `bytes` of the budget for a body. Returns false if the budget is used up and no older body can be ended.
   */
  function reserve(reading: Reading, bytes: number): boolean {
    while (held + bytes > budgetBytes) {
      if (!giveWay(reading, (other) => other.heldBytes > 0)) return false;
    }
    held += bytes;
    reading.heldBytes += bytes;
    return true;
  }

  /** Reserves one of the places for large bodies. Returns false if all are used and none can be freed. */
  function becomeLarge(reading: Reading): boolean {
    if (reading.isLarge) return true;
    if (large >= mostLargeAtOnce && !giveWay(reading, (other) => other.isLarge)) return false;
    reading.isLarge = true;
    large += 1;
    return true;
  }

  return {
    /** Returns how many bytes the bodies in progress use now. */
    heldBytes: (): number => held,

    /**
     * Refuses a request with this status. Closes the connection when the sender stops sending, or after a second. Until
     * then, Foyer reads and drops the data that arrives. Why: if a connection is closed with unread bytes, the system
     * resets it, and a client that is still sending 20 MiB would get an EPIPE instead of the answer. If Foyer is
     * already reading the rest of many refused bodies, it closes the connection immediately, since more reading would
     * delay other clients.
     */
    refuse(req: IncomingMessage, res: ServerResponse, status: number): void {
      if (res.headersSent) return;
      const retry = status === 503 ? { 'Retry-After': '5' } : {};
      // With these headers, the answer is complete. Only the connection stays open, until `end` is called.
      res.writeHead(status, { 'Content-Length': 0, Connection: 'close', ...retry });
      // A request that came through `fetch` has no connection that could stay open.
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

    /** Resolves to the whole body, or to the HTTP status with which to refuse the request. Never rejects. */
    read(req: IncomingMessage, mostBytes = mostBodyBytes): Promise<Buffer | BodyRefusal> {
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
          joined = undefined;
          req.off('data', keep);
          if (typeof result === 'number') req.pause();
          resolve(result);
        };
        const startedAt = performance.now();
        const reading: Reading = { heldBytes: 0, isLarge: false, startedAt, settle };

        /**
         * Returns a buffer with room for `bytes` more, or undefined if the budget is used up. The buffer's size doubles
         * each time, so that each byte is copied only once or twice on average, even if a body arrives in many pieces.
         */
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

        /** Adds a piece to the body. If Foyer refuses the body, returns why. */
        function join(piece: Buffer): BodyRefusal | undefined {
          if (length + piece.length > mostBytes) return 413;
          if (length + piece.length > largeBytes && !becomeLarge(reading)) return 503;
          // Slack's bodies usually arrive in one piece, which Foyer keeps without copying it.
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
        endLateIn(withinMs);
        req.on('data', keep);
        req.on('end', () => settle(joined ? joined.subarray(0, length) : Buffer.alloc(0)));
        // The sender hung up. If the body was already complete, this changes nothing.
        req.on('close', () => settle(400));
        req.on('error', () => settle(400));
      });
    },
  };
}

export type BodyReader = ReturnType<typeof createBodyReader>;
