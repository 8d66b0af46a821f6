import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { mostBodyBytes, readBody, refuseBody } from '../../src/http/read-body.ts';

/** What comes of a request that is sent in these pieces, each after the one before it has arrived. */
async function bodyOf(pieces: readonly (string | Buffer)[], end: 'wait' | 'cut off' = 'wait') {
  const read = Promise.withResolvers<Buffer | 400 | 413>();
  const server = createServer((req, res) => {
    void readBody(req).then((body) => {
      res.writeHead(200, { Connection: 'close' }).end();
      read.resolve(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  // A body that is refused is not read to its end.
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

test('a body is read whole, in however many pieces it comes', async () => {
  assert.equal(String(await bodyOf([head('Content-Length: 5'), 'he', 'llo'])), 'hello');
  assert.equal(
    String(await bodyOf([head('Transfer-Encoding: chunked'), chunk(2), chunk(3), '0\r\n\r\n'])),
    'aaaaa',
  );
  assert.equal(String(await bodyOf([head('Content-Length: 0')])), '');
});

test('a body of one mebibyte is taken, and of one byte more refused, announced or not', async () => {
  const largest = await bodyOf([head(`Content-Length: ${mostBodyBytes}`), Buffer.alloc(mostBodyBytes)]);
  assert.equal(Buffer.isBuffer(largest) && largest.length, mostBodyBytes);
  assert.equal(await bodyOf([head(`Content-Length: ${mostBodyBytes + 1}`)]), 413);
  const half = chunk(mostBodyBytes / 2);
  assert.equal(await bodyOf([head('Transfer-Encoding: chunked'), half, half, chunk(1)]), 413);
});

test('a body whose sender hangs up is none', async () => {
  assert.equal(await bodyOf([head('Content-Length: 5'), 'he'], 'cut off'), 400);
});

test('whoever sends far too much, and listens only then, still hears that it is refused', async () => {
  const server = createServer(async (req, res) => {
    const body = await readBody(req);
    if (typeof body === 'number') refuseBody(req, res, body);
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
