import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResponse } from '../../src/slack/read-response.ts';

const answer = (status: number) => ({
  status,
  headers: new Headers({ 'content-type': 'application/json', 'retry-after': '3' }),
  body: Buffer.from('{"name":"Zoë"}'),
});

test('a buffered answer is a Response whose body can be read in every way that the SDK uses', async () => {
  const response = readResponse(answer(200));
  assert.ok(response instanceof Response && response.ok);
  assert.equal(response.headers.get('retry-after'), '3');
  assert.deepEqual(await response.json(), { name: 'Zoë' });
  assert.equal(await response.text(), '{"name":"Zoë"}', 'the body can be read more than once');
  assert.equal(Buffer.from(await response.arrayBuffer()).toString(), '{"name":"Zoë"}');
});

test('a clone has the body too, since Foyer reads the tokens of an exchange from a clone', async () => {
  assert.deepEqual(await readResponse(answer(200)).clone().json(), { name: 'Zoë' });
});

test('an answer whose status allows no body is a Response too', async () => {
  assert.deepEqual(
    [204, 304, 503].map((status) => readResponse(answer(status)).status),
    [204, 304, 503],
  );
});
