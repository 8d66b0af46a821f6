import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the webhook does with a message. `ok` accepts the message and adds it to `posted`. */
export type WebhookAnswer = 'ok' | ((req: IncomingMessage, res: ServerResponse, post: () => void) => void);

/** A webhook over loopback HTTP: the operators' incoming webhook, or the billing system of `life-app.ts`. */
export interface WebhookEndpoint {
  url: string;
  /** The texts that were posted, in order. */
  readonly posted: string[];
  /** How many calls arrived, whether or not the webhook accepted the message. */
  calls(): number;
  /** Sets the answer to all later calls; with `times`, only to the next `times` calls. */
  answerWith(answer: WebhookAnswer, times?: number): void;
  close(): Promise<void>;
}

/** Starts the endpoint on a free port of 127.0.0.1. */
export async function startWebhookEndpoint(): Promise<WebhookEndpoint> {
  const posted: string[] = [];
  let calls = 0;
  let told: { answer: WebhookAnswer; left: number } = { answer: 'ok', left: 0 };
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    calls += 1;
    const post = (): void => void posted.push(String((JSON.parse(body) as { text?: unknown }).text));
    const answer = told.left > 0 ? told.answer : 'ok';
    told.left -= 1;
    if (answer !== 'ok') return answer(req, res, post);
    post();
    res.writeHead(200, { 'Content-Type': 'text/plain' }).end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/services/T0/B0/operators`,
    posted,
    calls: () => calls,
    answerWith(answer, times = Number.POSITIVE_INFINITY) {
      told = { answer, left: times };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
