import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import { createSeenDeliveries } from '../../src/events/seen-deliveries.ts';
import { createClock } from '../support/installations.ts';

const minute = 60_000;

test('Foyer remembers a delivery for at least an hour, and a flood of newer deliveries does not push out a recent one', () => {
  const clock = createClock();
  const log = createLogger({ logLevel: 'silent', secrets: [] });
  const database = {} as Database;
  const seen = createSeenDeliveries({ database, shared: false, clientId: '1.1', now: clock.now, log });
  assert.equal(seen.isFirst('press v0=first'), true);
  assert.equal(seen.isFirst('press v0=other'), true);
  assert.equal(seen.isFirst('press v0=first'), false);
  clock.advance(60 * minute + 1);
  assert.equal(seen.isFirst('press v0=later'), true);
  assert.equal(seen.isFirst('press v0=first'), false, 'it is in the older half');
  for (let n = 0; n < 49_999; n += 1) seen.isFirst(`press v0=${n}`);
  assert.equal(seen.isFirst('press v0=later'), false, 'a flood does not push out a fresh one');
  clock.advance(120 * minute);
  seen.isFirst('press v0=x');
  clock.advance(120 * minute);
  seen.isFirst('press v0=y');
  assert.equal(seen.isFirst('press v0=first'), true, 'it is forgotten: its timestamp is refused by now');
});
