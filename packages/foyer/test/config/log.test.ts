import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { createScrubber } from '../../src/config/log.ts';
import { foyerVersion } from '../../src/config/version.ts';

/** Runs a script that logs, and returns its output: the lines that an operator would find in the log file. */
function logged(script: string): string {
  const source = `
    import { createLogger, slackLogger, withLineIds } from '${new URL('../../src/config/log.ts', import.meta.url)}';
    const log = createLogger({ logLevel: 'debug', secrets: ['the-client-secret', 'c2lnbmluZw=='] }, { pretty: false });
    ${script}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
}

describe('the log', () => {
  it('the log keeps secrets out, wherever they appear in a line', () => {
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

  it('the log passes on the warnings and errors of Slack’s SDK, but not its debug and info lines', () => {
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

  it('the log puts a run’s id on each of the run’s lines, and does not carry one line’s fields over to the next', () => {
    const output = logged(`
      withLineIds({ runId: 'run_1' }, () => {
        log.info({ step: 'publish-home', outcome: 'failed', ms: 5 }, 'first');
        log.child({ step: 'notify-operators' }).info('second');
      });
    `);
    const [first, second = ''] = output.trim().split('\n');
    assert.equal(JSON.parse(first ?? '').runId, 'run_1');
    const { level, severity, time, ...fields } = JSON.parse(second);
    assert.deepEqual(fields, { step: 'notify-operators', runId: 'run_1', msg: 'second' });
  });

  it('the log labels each line with its severity, and with service, version and host if LOG_SERVICE is set', () => {
    const [plain] = logged(`log.error('no')`).split('\n');
    const { level, severity, service, host } = JSON.parse(plain ?? '');
    assert.deepEqual([level, severity, service, host], [50, 'error', undefined, undefined]);
    const [named] = logged(`
      createLogger({ logLevel: 'info', secrets: [], logService: 'foyer-eu' }, { pretty: false }).info('yes');
    `).split('\n');
    const line = JSON.parse(named ?? '');
    assert.deepEqual(
      [line.severity, line.service, line.version, line.host],
      ['info', 'foyer-eu', foyerVersion, hostname()],
    );
  });

  it('the log leaves out additional properties of an error, such as `headers` and `body`', () => {
    const output = logged(
      `log.error({ err: Object.assign(new Error('x'), { headers: { a: 'private' }, body: 'private' }) })`,
    );
    assert.ok(!output.includes('private'));
  });

  it('the log shows each error inside an AggregateError, such as the refused connection to each address of a host', () => {
    const output = logged(`
      const error = new TypeError('fetch failed', { cause: new AggregateError([new Error('refused ::1'), new Error('refused the-client-secret')]) });
      log.error({ err: error }, 'failed');`);
    const { cause } = JSON.parse(output).err;
    const messages = cause.errors.map(({ message }: { message: string }) => message);
    assert.deepEqual(messages, ['refused ::1', 'refused [secret]']);
  });

  it('the log truncates an error of several megabytes, but never in the middle of a secret', () => {
    for (const left of [0, 5, 16, 30, 2000]) {
      const output = logged(`
        const error = new Error('first words ' + 'x'.repeat(20_000 - 12 - ${left}) + 'the-client-secret' + 'y'.repeat(2_000_000));
        log.error({ err: error }, 'failed');
        log.error({ err: 'z'.repeat(3_000_000) }, 'failed');`);
      assert.ok(output.length < 70_000, `${output.length} characters`);
      assert.match(output, /first words/);
      assert.match(output, /20\d{5} characters/);
      assert.doesNotMatch(output, /the-cl/);
    }
  });
});

describe('the scrubber', () => {
  const awkward = 'z9"a\\b c/d#9z%\u00fc\'(!)';

  it('the scrubber replaces a secret that is encoded as JSON, as a URL or as a form', () => {
    const scrub = createScrubber([awkward]);
    const json = JSON.stringify({ password: awkward });
    const forms = {
      plain: awkward,
      json,
      'json in json': JSON.stringify({ body: json }),
      'json in json in json': JSON.stringify(JSON.stringify({ body: json })),
      url: `https://a.example/?p=${encodeURIComponent(awkward)}&q=1`,
      'url with small hexadecimal digits': `https://a.example/?p=${encodeURIComponent(awkward).replace(/%../g, (code) => code.toLowerCase())}`,
      form: new URLSearchParams({ p: awkward }).toString(),
    };
    for (const [name, text] of Object.entries(forms)) {
      const scrubbed = scrub(text);
      assert.ok(scrubbed.includes('[secret]'), `${name}: ${scrubbed}`);
      assert.ok(!/z9|9z/.test(scrubbed), `${name}: ${scrubbed}`);
    }
  });

  it('the scrubber replaces a secret inside base64 text, such as a Basic Authorization header', () => {
    const secret = 'client/secret+of~16';
    const scrub = createScrubber([secret]);
    for (const [before, after] of [
      ['', ''],
      ['1:', ''],
      ['id:', ' and more'],
      ['idid:', 'x'],
    ] as const) {
      for (const encoding of ['base64', 'base64url'] as const) {
        const text = Buffer.from(before + secret + after).toString(encoding);
        const shown = scrub(text);
        assert.match(shown, /\[secret\]/, text);
        const left = Buffer.from(shown.replace('[secret]', ''), encoding).toString('latin1');
        assert.ok(!left.includes('secret') && shown.length < text.length, shown);
      }
    }
  });

  it('the scrubber replaces Slack and GovSlack webhook URLs, whether plain, escaped or encoded', () => {
    const scrub = createScrubber([]);
    for (const host of ['hooks.slack.com', 'hooks.slack-gov.com']) {
      const url = `https://${host}/services/T0/B0/x-y_z`;
      for (const text of [url, url.replaceAll('/', '\\/'), encodeURIComponent(url), url.toUpperCase()]) {
        assert.equal(scrub(`to "${text}" at once`), 'to "[secret]" at once', text);
      }
    }
    assert.equal(scrub('https://hooks.slack.com.evil.example'), 'https://hooks.slack.com.evil.example');
  });

  it('the scrubber replaces OAuth codes and states in an encoded URL, signed links, and signed results', () => {
    const scrub = createScrubber([]);
    const encoded = encodeURIComponent('https://a.example/cb?code=12.34&state=v1.abc');
    assert.doesNotMatch(scrub(`next=${encoded}`), /12\.34|v1\.abc/);
    assert.doesNotMatch(scrub('"/done?foyer_result=abc.def"'), /abc\.def/);
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(43)}`;
    assert.equal(scrub(`a link ${jwt} was refused`), 'a link [secret] was refused');
    assert.equal(scrub(`next=%2Fdone%3Ftoken=1&hint%3D${jwt}"`).includes(jwt.slice(-43)), false);
    assert.equal(scrub(`${jwt} and ${jwt}`), '[secret] and [secret]');
  });

  it('the scrubber does not block the process, even if a JWT could begin at a million places in a text', () => {
    // A search that starts again at each `eyJ` would not end within the time limit of this file.
    const text = 'eyJ'.repeat(1_000_000);
    assert.equal(createScrubber([])(text), text);
  });

  it('the scrubber replaces the longest secret first, so that no part of a secret is left', () => {
    assert.equal(createScrubber(['secret', 'secret-longer'])('a secret-longer b'), 'a [secret] b');
  });

  it('the scrubber does not replace text that only resembles a secret, or a secret of only three characters', () => {
    assert.equal(createScrubber(['abc'])('xoxo, abc and a code=1'), 'xoxo, abc and a code=1');
  });
});
