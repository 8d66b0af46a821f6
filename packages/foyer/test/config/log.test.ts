import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { createScrubber } from '../../src/config/log.ts';

/** Runs a script that logs, and returns what it wrote: what an operator would find in the file. */
function logged(script: string): string {
  const source = `
    import { createLogger, slackLogger } from './src/log.ts';
    const log = createLogger({ logLevel: 'debug', secrets: ['the-client-secret', 'c2lnbmluZw=='] }, { pretty: false });
    ${script}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
}

describe('the log', () => {
  it('keeps every secret out, wherever in a line it stands', () => {
    const output = logged(`
      const error = new Error('failed with xoxb-123-abc and the-client-secret');
      error.cause = new Error('https://hooks.slack.com/services/T0/B0/xyz');
      log.info({ err: error, token: 'xoxp-999', nested: { refreshToken: 'xoxe-1-abc' } }, 'callback ?code=12.34&state=v1.k.abc');
      log.debug({ list: ['xoxe.xoxb-1-rotated'], key: 'c2lnbmluZw==' });
    `);
    for (const secret of ['xox', 'the-client-secret', 'services/T0', '12.34', 'v1.k.abc', 'c2lnbmluZw']) {
      assert.ok(!output.includes(secret), `${secret} in ${output}`);
    }
    assert.equal(output.trim().split('\n').length, 2);
    assert.equal(JSON.parse(output.split('\n')[0] ?? '').err.name, 'Error');
  });

  it('passes on what Slack’s SDK warns of, and none of its debug lines', () => {
    const output = logged(`
      const sdk = slackLogger(log, 'slack');
      sdk.debug('http request body: client_secret=abc');
      sdk.info('state=abc');
      sdk.warn('http request failed', 'reset');
      sdk.error(new Error('no'));
    `);
    assert.deepEqual(
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).msg),
      ['http request failed reset', 'Error: no'],
    );
  });

  it('keeps what an error carries besides its message out', () => {
    const output = logged(
      `log.error({ err: Object.assign(new Error('x'), { headers: { a: 'private' }, body: 'private' }) })`,
    );
    assert.ok(!output.includes('private'));
  });
});

describe('the scrubber', () => {
  it('replaces the longest secret first, so that none is left in part', () => {
    assert.equal(createScrubber(['secret', 'secret-longer'])('a secret-longer b'), 'a [secret] b');
  });

  it('leaves ordinary text alone', () => {
    assert.equal(createScrubber(['abc'])('xoxo, abc and a code=1'), 'xoxo, abc and a code=1');
  });
});
