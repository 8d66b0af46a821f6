import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { createCounter, present } from './contender.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';

/**
 * The least that a receiver of signed events can do, with node:http alone. For each event it computes one HMAC, parses
 * the JSON, and answers 200. It creates the HMAC's key only once, at the start.
 */
const key = createSecretKey(Buffer.from(process.env.SLACK_SIGNING_SECRET ?? '', 'utf8'));
const { note, settled } = createCounter();

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => {
    const body = Buffer.concat(chunks);
    const { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature } = req.headers;
    const expected = createHmac('sha256', key).update(`v0:${timestamp}:`).update(body).digest();
    const given = Buffer.from(String(signature).slice(3), 'hex');
    const isSlacks = given.length === expected.length && timingSafeEqual(given, expected);
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    res.writeHead(isSlacks && parsed ? 200 : 401, { 'Content-Length': 0 }).end();
    note();
  });
});

present({
  port: await listenOnLoopback(server),
  answers: { settled },
  stop: () => server.closeAllConnections(),
});
