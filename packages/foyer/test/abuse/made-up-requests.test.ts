import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Stage, setStage } from '../support/start-foyer.ts';

/** What a single made-up request may cost, and what many of them may write to the log (invariant 10). */

const mostCpuMs = 150;

describe('made-up requests use little CPU time and write few log lines', () => {
  let stage: Stage;
  before(async () => {
    stage = await setStage({
      environment: {
        OPERATOR_PASSWORD: 'correct horse battery 77',
        CONNECT_SECRET: `${'k'.repeat(16)}Zq81xYw7LmN02PvR`,
        SIGN_IN: 'on',
        METRICS_TOKEN: 'four-Horses-in-9-rows',
        LOG_LEVEL: 'info',
      },
    });
  });
  after(() => stage.close());

  /** Sends a request and resolves to the status of its answer. */
  function ask(target: string, headers = '', method = 'GET'): Promise<number> {
    const { host, hostname, port } = new URL(stage.url);
    return new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      let text = '';
      socket.setEncoding('latin1').on('data', (part: string) => {
        text += part;
      });
      socket.on('error', () => {}).on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])));
      socket.write(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`);
    });
  }

  /**
   * The CPU time that this whole process uses during one request: the lowest of up to three measurements, because other
   * work counts too.
   */
  async function cpuMsOf(request: () => Promise<unknown>): Promise<number> {
    let least = Number.POSITIVE_INFINITY;
    for (let n = 0; n < 3 && least > mostCpuMs; n += 1) {
      const before = process.cpuUsage();
      await request();
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, (user + system) / 1000);
    }
    return least;
  }

  const signs = ['/', '//x', ';', '=', '%', '&', ',', '.', '-', '+', '[', ' a', 'a=b;', 'q=0.', '%2F'];
  const paths = ['/', '/slack/install', '/slack/oauth_redirect', '/slack/signin', '/slack/signin/callback'];
  const below = ['/operator', '/operator/installations', '/installs', '/slack/events', '/readyz', '/brand'];
  const names = ['Cookie', 'Accept-Language', 'X-Forwarded-For', 'Authorization', 'Traceparent', 'Origin'];

  it('a made-up request uses at most 150 ms of CPU time, even if its URL or a header repeats one string for 15 kB', async () => {
    const costly: string[] = [];
    for (const sign of signs) {
      const filled = sign.repeat(15_000 / sign.length);
      const targets = [
        ...[...paths, ...below].map((path) => `${path}${filled.replaceAll(' ', '%20')}x`),
        ...paths.flatMap((path) =>
          ['state', 'code', 'connect', 'claim', 'return_to', 'error', 'team'].map(
            (name) => `${path}?${name}=${filled.replaceAll(' ', '%20')}x`,
          ),
        ),
      ];
      for (const target of targets) {
        const ms = await cpuMsOf(() => ask(target));
        if (ms > mostCpuMs) costly.push(`${target.slice(0, 60)}: ${Math.round(ms)} ms`);
      }
      for (const name of names) {
        for (const path of ['/', '/operator', '/slack/install', '/slack/signin/callback?state=a&code=b']) {
          const ms = await cpuMsOf(() => ask(path, `${name}: ${filled}x\r\n`));
          if (ms > mostCpuMs) costly.push(`${path} ${name}: ${sign}: ${Math.round(ms)} ms`);
        }
      }
    }
    assert.deepEqual(costly, []);
  });

  it('a made-up request is never logged as an error', () => {
    assert.deepEqual(
      stage.logged().filter((line) => /"level":(?:50|60)/.test(line)),
      [],
    );
  });

  const kinds: readonly [string, (n: number) => string][] = [
    ['callbacks with a made-up state', (n) => `/slack/oauth_redirect?code=a&state=made-up-${n}`],
    ['callbacks without a state', () => '/slack/oauth_redirect?code=a'],
    ['callbacks without a code or a state', () => '/slack/oauth_redirect'],
    ['callbacks with a made-up error', (n) => `/slack/oauth_redirect?error=made_up_${n}`],
    ['sign-in callbacks with a made-up state', (n) => `/slack/signin/callback?code=a&state=made-up-${n}`],
    ['sign-in callbacks with a made-up error', (n) => `/slack/signin/callback?error=made_up_${n}`],
    ['sign-ins with a foreign return address', (n) => `/slack/signin?return_to=https://${n}.example.com/`],
    [
      'installs with an invalid connect link',
      (n) => `/slack/install?connect=eyJhbGciOiJub25lIn0.eyJuIjoxfQ.${n}`,
    ],
    ['progress pages', (n) => `/installs/made-up-${n}`],
    ['readiness reports', (n) => `/readyz?report=made-up-${n}`],
    ['installations on the operator pages', (n) => `/operator/installations/made-up-${n}`],
  ];
  for (const [kind, target] of kinds) {
    it(`forty made-up requests of one kind write at most five log lines (${kind})`, async () => {
      await stage.stop();
      await stage.start();
      const before = stage.logged().length;
      for (let n = 0; n < 40; n += 1) await ask(target(n));
      const lines = stage.logged().slice(before);
      assert.ok(lines.length <= 5, `${lines.length} lines: ${lines.slice(-2).join('')}`);
    });
  }
});
