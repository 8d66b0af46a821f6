import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';
import { SMTPServer } from 'smtp-server';

/** What the mail server does with a message. A number is an SMTP code: the server refuses the message with it. */
export type MailAnswer = 'accept' | 'hang' | 'cut-after-taking' | number;

/** A real SMTP server on loopback that keeps the messages it receives. */
export interface MailServer {
  /** `smtp://user:password@127.0.0.1:port`. */
  url: string;
  port: number;
  /** Each raw message, headers and body. */
  received: string[];
  /** Gives these answers in turn, and then accepts everything. */
  answerWith(...answers: MailAnswer[]): void;
  /** The number of open connections. */
  connections(): Promise<number>;
}

/** The password in the server's URL. It must not appear in any log line, message or page. */
export const mailPassword = 'very-secret-mail-password';

/** Starts a mail server that is closed when the test ends. The login is `foyer` with `mailPassword`. */
export async function startMailServer(
  t: TestContext,
  options: { secure?: boolean } = {},
): Promise<MailServer> {
  const received: string[] = [];
  const left: MailAnswer[] = [];
  const server = new SMTPServer({
    secure: options.secure ?? false,
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: options.secure ? [] : ['STARTTLS'],
    closeTimeout: 10,
    onAuth({ username, password }, _session, done) {
      const right = username === 'foyer' && password === mailPassword;
      done(right ? null : new Error('wrong'), right ? { user: 'foyer' } : undefined);
    },
    onData(stream, _session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const answer = left.shift() ?? 'accept';
        if (answer === 'hang') return;
        if (typeof answer === 'number') {
          done(Object.assign(new Error(`no, and here is ${mailPassword}`), { responseCode: answer }));
          return;
        }
        received.push(Buffer.concat(parts).toString('utf8'));
        if (answer === 'accept') done();
        else for (const connection of server.connections) connection.close();
      });
    },
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  const net: Server = server.server;
  await once(net, 'listening');
  t.after(() => new Promise<void>((closed) => server.close(() => closed())));
  const { port } = net.address() as AddressInfo;
  return {
    url: `smtp://foyer:${mailPassword}@127.0.0.1:${port}`,
    port,
    received,
    answerWith: (...answers) => void left.push(...answers),
    connections: () => new Promise((tell) => net.getConnections((_error, count) => tell(count))),
  };
}
