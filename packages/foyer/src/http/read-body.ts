import type { IncomingMessage, ServerResponse } from 'node:http';

/** Larger bodies are refused: Slack's are far smaller (invariant 10). */
export const mostBodyBytes = 1024 * 1024;

/**
 * Reads a request's body: all of it, or the HTTP status that refuses it. An announced length is looked at before a byte
 * is kept, and of one that was not announced no more is kept than is allowed.
 *
 * Why our own: it stands on every event's way, where `raw-body` and what it brings costs ten times as much.
 */
export function readBody(req: IncomingMessage): Promise<Buffer | 400 | 413> {
  if (Number(req.headers['content-length'] ?? 0) > mostBodyBytes) return Promise.resolve(413);
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', function keep(chunk: Buffer) {
      bytes += chunk.length;
      if (bytes <= mostBodyBytes) return void chunks.push(chunk);
      chunks = [];
      req.off('data', keep).pause();
      resolve(413);
    });
    req.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    // Cut off by its sender; after the end it says nothing any more.
    req.on('close', () => resolve(400));
  });
}

/** How long the rest of a refused body is read. */
const lingerMs = 1000;

/**
 * Refuses a request with this status and closes its connection, once its sender has stopped sending or a second later.
 * Until then what comes is read and not kept: a connection that is closed with bytes unread is reset, and whoever sends
 * 20 MiB at once then gets an EPIPE in the place of the answer.
 */
export function refuseBody(req: IncomingMessage, res: ServerResponse, status: number): void {
  // With these headers the answer is whole; only the connection stays until `end`.
  res.writeHead(status, { 'Content-Length': 0, Connection: 'close' }).flushHeaders();
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, lingerMs);
  req.on('end', end).on('close', end).resume();
}
