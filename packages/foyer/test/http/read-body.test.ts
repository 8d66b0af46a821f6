import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BodyRefusal,
  bodyReadBefore,
  createBodyReader,
  mostBodyBytes,
} from '../../src/http/read-body.ts';

const bodies = createBodyReader();

/** Sends a request in these pieces, one after the other; returns the body or the refusal. */
async function bodyOf(pieces: readonly (string | Buffer)[], end: 'wait' | 'cut off' = 'wait') {
  const read = Promise.withResolvers<Buffer | BodyRefusal>();
  const server = createServer((req, res) => {
    void bodies.read(req).then((body) => {
      res.writeHead(200, { Connection: 'close' }).end();
      read.resolve(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  // The server does not read a refused body to its end, so the socket can fail.
  socket.on('error', () => {});
  await once(socket, 'connect');
  for (const piece of pieces) {
    await new Promise((sent) => socket.write(piece, sent));
    await new Promise(setImmediate);
  }
  if (end === 'cut off') socket.destroy();
  const body = await read.promise;
  socket.destroy();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  return body;
}

const head = (...lines: string[]): string => ['POST / HTTP/1.1', 'Host: x', ...lines, '', ''].join('\r\n');
const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${'a'.repeat(bytes)}\r\n`;

test('a body is read completely, from any number of pieces', async () => {
  assert.equal(String(await bodyOf([head('Content-Length: 5'), 'he', 'llo'])), 'hello');
  assert.equal(
    String(await bodyOf([head('Transfer-Encoding: chunked'), chunk(2), chunk(3), '0\r\n\r\n'])),
    'aaaaa',
  );
  assert.equal(String(await bodyOf([head('Content-Length: 0')])), '');
});

test('a body of one mebibyte is accepted, and a body that is one byte longer is refused even without Content-Length', async () => {
  const largest = await bodyOf([head(`Content-Length: ${mostBodyBytes}`), Buffer.alloc(mostBodyBytes)]);
  assert.equal(Buffer.isBuffer(largest) && largest.length, mostBodyBytes);
  assert.equal(await bodyOf([head(`Content-Length: ${mostBodyBytes + 1}`)]), 413);
  const half = chunk(mostBodyBytes / 2);
  assert.equal(await bodyOf([head('Transfer-Encoding: chunked'), half, half, chunk(1)]), 413);
});

test('a body is refused if its sender hangs up before the end of the body', async () => {
  assert.equal(await bodyOf([head('Content-Length: 5'), 'he'], 'cut off'), 400);
});

test('a client still gets the 413 response if it sends a body far over the limit and only then begins to read', async () => {
  const server = createServer(async (req, res) => {
    const body = await bodies.read(req);
    if (typeof body === 'number') bodies.refuse(req, res, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const sent of [
    [head(`Content-Length: ${20 * mostBodyBytes}`), Buffer.alloc(20 * mostBodyBytes)],
    [head('Transfer-Encoding: chunked'), chunk(20 * mostBodyBytes), '0\r\n\r\n'],
  ]) {
    const socket = connect({ port, host: '127.0.0.1' }).pause();
    let heard = '';
    socket.setEncoding('utf8').on('error', (error) => (heard += error));
    for (const piece of sent) await new Promise((written) => socket.write(piece, written));
    socket.on('data', (part) => (heard += part)).resume();
    await once(socket, 'close');
    assert.match(heard, /^HTTP\/1\.1 413 [\s\S]*Connection: close/);
  }
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

test('a body that arrives in one-byte pieces takes memory in proportion to its size', async () => {
  const pieces = head('Transfer-Encoding: chunked') + chunk(1).repeat(200_000);
  const read = await bodyOf([pieces, '0\r\n\r\n']);
  assert.ok(Buffer.isBuffer(read));
  assert.equal(read.length, 200_000);
  // The reader joins all pieces in one buffer, and doubles that buffer when it is full.
  assert.ok(read.buffer.byteLength <= 400_000, String(read.buffer.byteLength));
});

/** A request whose headers have arrived; the test sends the body in pieces. */
function requestUnderWay(announced?: number) {
  const req = new PassThrough();
  const headers = announced === undefined ? {} : { 'content-length': String(announced) };
  return Object.assign(req, { headers }) as unknown as PassThrough & IncomingMessage;
}

test('a body that would exceed the shared memory budget is refused, and each body releases its memory in the end', async () => {
  const reader = createBodyReader({ budgetBytes: 100_000 });
  const [first, second] = [requestUnderWay(), requestUnderWay()];
  const whole = reader.read(first);
  first.write(Buffer.alloc(60_000));
  await new Promise(setImmediate);
  assert.equal(reader.heldBytes(), 60_000);
  const refused = reader.read(second);
  second.write(Buffer.alloc(60_000));
  assert.equal(await refused, 503);
  first.end();
  const body = await whole;
  assert.equal(Buffer.isBuffer(body) && body.length, 60_000);
  assert.equal(reader.heldBytes(), 0);
});

test('a Content-Length header reserves no memory before the body arrives', async () => {
  const reader = createBodyReader({ budgetBytes: 100_000 });
  for (let n = 0; n < 10; n += 1) void reader.read(requestUnderWay(90_000));
  assert.equal(reader.heldBytes(), 0);
  const req = requestUnderWay(4);
  const read = reader.read(req);
  req.end('body');
  assert.equal(String(await read), 'body');
});

test('if a new body would exceed the memory budget, a body that has been arriving for more than a second is refused instead', async () => {
  const reader = createBodyReader({ budgetBytes: 100_000 });
  const slow = requestUnderWay();
  const cutOff = reader.read(slow);
  slow.write(Buffer.alloc(90_000));
  await delay(1100);
  const quick = requestUnderWay();
  const read = reader.read(quick);
  quick.end(Buffer.alloc(50_000));
  assert.equal(await cutOff, 503);
  const body = await read;
  assert.equal(Buffer.isBuffer(body) && body.length, 50_000);
});

test('a body that does not arrive completely is refused at the time limit', async () => {
  const reader = createBodyReader({ completeWithinMs: 50 });
  const req = requestUnderWay(10);
  const read = reader.read(req);
  req.write('half');
  assert.equal(await read, 408);
  assert.equal(reader.heldBytes(), 0);
});

test('the body reader reads at most eight large bodies at the same time, and still reads small bodies', async () => {
  const reader = createBodyReader();
  const large = Array.from({ length: 8 }, () => requestUnderWay(100_000));
  const reads = large.map((req) => reader.read(req));
  assert.equal(await reader.read(requestUnderWay(100_000)), 503, 'announced');
  const grown = requestUnderWay();
  const refused = reader.read(grown);
  grown.write(Buffer.alloc(65_000));
  grown.write(Buffer.alloc(1000));
  assert.equal(await refused, 503, 'grown while it was read');
  const small = requestUnderWay(4);
  const read = reader.read(small);
  small.end('body');
  assert.equal(String(await read), 'body');
  for (const req of large) req.end(Buffer.alloc(100_000));
  for (const body of await Promise.all(reads)) assert.equal(Buffer.isBuffer(body) && body.length, 100_000);
  const next = requestUnderWay(100_000);
  const after = reader.read(next);
  next.end(Buffer.alloc(100_000));
  assert.ok(Buffer.isBuffer(await after));
});

test('a body that the host has already read is taken from the request’s rawBody, and refused if rawBody is missing or over the limit', () => {
  const request = (rawBody?: unknown) => ({ rawBody }) as unknown as IncomingMessage;
  assert.deepEqual(bodyReadBefore(request('0123456789'), 10), Buffer.from('0123456789'));
  assert.equal(bodyReadBefore(request(Buffer.alloc(11)), 10), 413);
  assert.equal(bodyReadBefore(request(), 10), 500);
});
