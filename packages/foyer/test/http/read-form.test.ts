import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createBodyReader } from '../../src/http/read-body.ts';
import { readForm } from '../../src/http/read-form.ts';

const urlencoded = 'application/x-www-form-urlencoded';

/** A request whose body the test sends. */
function requestUnderWay(type = urlencoded) {
  const req = Object.assign(new PassThrough(), { headers: { 'content-type': type } });
  return req as unknown as PassThrough & IncomingMessage;
}

test('a form is read if its content type is in upper or lower case, and with or without a charset', async () => {
  for (const type of [urlencoded, `${urlencoded}; charset=utf-8`, urlencoded.toUpperCase()]) {
    const req = requestUnderWay(type);
    const form = readForm(createBodyReader(), req);
    req.end('a=1&b=%C3%A9');
    assert.deepEqual(
      [...((await form) as URLSearchParams)],
      [
        ['a', '1'],
        ['b', 'é'],
      ],
    );
  }
});

test('a body that is not a urlencoded form is refused before it is read', async () => {
  assert.equal(await readForm(createBodyReader(), requestUnderWay('application/json')), 415);
  assert.equal(await readForm(createBodyReader(), requestUnderWay('')), 415);
});

test('a form of more than 16 KiB is refused', async () => {
  const req = requestUnderWay();
  const form = readForm(createBodyReader(), req);
  req.end('a'.repeat(16 * 1024 + 1));
  assert.equal(await form, 413);
});

test('a form that does not arrive completely is refused at the time limit', async () => {
  const req = requestUnderWay();
  const form = readForm(createBodyReader({ completeWithinMs: 50 }), req);
  req.write('a=');
  assert.equal(await form, 408);
});

test('forms that are read at the same time share one memory budget', async () => {
  const bodies = createBodyReader({ budgetBytes: 20_000 });
  const [first, second] = [requestUnderWay(), requestUnderWay()];
  const whole = readForm(bodies, first);
  first.write('a=1');
  await new Promise(setImmediate);
  const refused = readForm(bodies, second);
  second.write('b=2');
  assert.equal(await refused, 503);
  first.end();
  assert.equal(String(await whole), 'a=1');
  assert.equal(bodies.heldBytes(), 0);
});
