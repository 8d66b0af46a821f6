import assert from 'node:assert/strict';
import querystring from 'node:querystring';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLogger } from '../../src/config/log.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';

const { stringify, escape: nodesOwn } = querystring;
const sent: string[] = [];
const slack = createSlackClientFactory({
  config: { slack: { apiUrl: 'https://slack.test/api/', throughProxy: false } } as never,
  log: createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false }),
  async transport(_url, { body }) {
    sent.push(body ?? '');
    return { status: 200, headers: new Headers(), body: Buffer.from('{"ok":true}') };
  },
});

test('a form of Slack’s SDK is encoded exactly as Node would encode it, for any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' }), (text, ascii) => {
      const form = { text, ascii };
      assert.equal(stringify(form), stringify(form, '&', '=', { encodeURIComponent: nodesOwn }));
    }),
  );
});

test('a lone surrogate does not fail a call, and the rest of the text stays unchanged', async () => {
  await slack('xoxb-1').apiCall('chat.postMessage', { text: 'a\ud83d b\udc00 c\ud83d' });
  assert.equal(new URLSearchParams(sent.at(-1)).get('text'), 'a\ufffd b\ufffd c\ufffd');
});
