import type { Readable, Transform } from 'node:stream';
import { constants, createBrotliDecompress, createUnzip } from 'node:zlib';
import { Agent, EnvHttpProxyAgent, request } from 'undici';

/**
 * Why not `fetch`: half of an install's work was spent on `fetch` features that these requests do not need. A call
 * through this transport costs a third of a call with `fetch`, over connections that stay open (`bench/README.md`).
 * Like `fetch`, this transport uses the proxy that HTTPS_PROXY names if NODE_USE_ENV_PROXY=1 is set.
 */

/** One request to Slack, with a body of text. */
interface SlackRequest {
  method: string;
  headers: Record<string, string>;
  body: string | null;
  signal: AbortSignal;
  /** The longest answer that is accepted, in bytes; 1 MiB by default. */
  mostBytes?: number;
  /** Receives the headers and the body as they arrive, even if the answer then breaks off or cannot be read. */
  onArrived?(bytes: Buffer): void;
}

/**
 * Slack's whole answer. A redirect is not followed: Slack's API sends none, and a token must not go to another address.
 */
export interface SlackAnswer {
  status: number;
  headers: Headers;
  body: Buffer;
}

/** Thrown when an answer is longer than the request's `mostBytes`: no answer may fill the memory (invariant 10). */
class SlackAnswerTooLargeError extends Error {
  override readonly name = 'SlackAnswerTooLargeError';
  readonly code = 'answer_too_large';
  constructor(mostBytes: number) {
    super(`Slack’s answer is longer than ${mostBytes} bytes`);
  }
}

/** Sends a request. @throws SlackAnswerTooLargeError, or the error of the connection */
export type SlackTransport = (url: string, sent: SlackRequest) => Promise<SlackAnswer>;

/** How many concurrent connections to one host are open at most. Further calls wait for a free connection. */
const usualConnections = 256;
const connectMs = 5000;
/** The default of `mostBytes`. Slack's answers to Foyer's own calls have only a few kilobytes. */
const usualMostBytes = 1024 * 1024;

/** Opens connections to Slack. They close automatically when idle, and do not keep the process alive. */
export function createSlackTransport(config: {
  throughProxy: boolean;
  /** The most connections to one host; 256 by default. */
  connections?: number;
}): SlackTransport {
  const { connections = usualConnections } = config;
  const options = { connections, connect: { timeout: connectMs } };
  const dispatcher = config.throughProxy ? new EnvHttpProxyAgent(options) : new Agent(options);
  return async (url, { method, headers, body, signal, mostBytes, onArrived }) => {
    try {
      const answer = await request(url, { dispatcher, method, headers, body, signal });
      onArrived?.(Buffer.from(JSON.stringify(answer.headers), 'latin1'));
      const { [contentEncoding]: encoding } = answer.headers;
      const read = await readBounded(decompressed(answer.body, String(encoding)), mostBytes, onArrived);
      return { status: answer.statusCode, headers: headersOf(answer.headers), body: read };
    } catch (error) {
      // `data` contains the bytes that undici could not parse as HTTP.
      const { data } = error as { data?: unknown };
      if (typeof data === 'string') onArrived?.(Buffer.from(data, 'latin1'));
      throw error;
    }
  };
}

const contentEncoding = 'content-encoding';

/** Foyer asks for no compression, but a proxy may compress an answer nevertheless. */
function decompressed(body: Readable, encoding: string): AsyncIterable<Buffer> {
  if (/^(?:x-)?gzip$|^deflate$/i.test(encoding))
    return through(body, createUnzip({ finishFlush: constants.Z_SYNC_FLUSH }));
  if (/^br$/i.test(encoding))
    return through(body, createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }));
  return body;
}

/** Decompresses an answer. If the body breaks off, yields what arrived before that, then throws the body's error. */
async function* through(body: Readable, decompress: Transform): AsyncGenerator<Buffer> {
  let broken: unknown;
  body.once('error', (error) => {
    broken = error;
    decompress.end();
  });
  try {
    yield* body.pipe(decompress);
    if (broken !== undefined) throw broken;
  } finally {
    body.destroy();
  }
}

/**
 * Reads an answer to its end. If the answer is too long, leaves the loop early, which closes the connection.
 * @throws SlackAnswerTooLargeError
 */
export async function readBounded(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  mostBytes = usualMostBytes,
  onArrived?: (bytes: Buffer) => void,
): Promise<Buffer> {
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    onArrived?.(Buffer.from(chunk));
    length += chunk.length;
    if (length > mostBytes) throw new SlackAnswerTooLargeError(mostBytes);
    read.push(chunk);
  }
  return Buffer.concat(read, length);
}

function headersOf(given: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
}
