import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRecord } from '../blocks/fault-list.ts';

/** What reached the app's request URL. */
export type Received = { headers: IncomingHttpHeaders; body: string; json: Record<string, unknown> };

/** A minimal app: it records requests and answers as configured. */
export type TestApp = {
  eventUrl: string;
  received: Received[];
  /** Inner events of one type, oldest first. */
  events(type: string): Record<string, unknown>[];
  /** Sets the answers to the next requests: a status, or `silence` for no answer. The last one repeats. */
  answerWith(...answers: (number | 'silence')[]): void;
  close(): Promise<void>;
};

export async function startTestApp(): Promise<TestApp> {
  const received: Received[] = [];
  let answers: (number | 'silence')[] = [200];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const text = body.startsWith('payload=') ? (new URLSearchParams(body).get('payload') ?? '{}') : body;
      const json: unknown = JSON.parse(text);
      received.push({ headers: request.headers, body, json: isRecord(json) ? json : {} });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === 'silence') return;
      const challenge = isRecord(json) ? json.challenge : undefined;
      response.writeHead(answer ?? 200).end(typeof challenge === 'string' ? challenge : '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's address is never a string or null
  return {
    eventUrl: `http://127.0.0.1:${port}/slack/events`,
    received,
    events: (type) =>
      received
        .map(({ json }) => json.event)
        .filter(isRecord)
        .filter((event) => event.type === type),
    answerWith(...next) {
      answers = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
