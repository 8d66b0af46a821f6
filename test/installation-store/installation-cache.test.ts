import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInstallationCache } from '../../src/installation-store/installation-cache.ts';
import type { StoredInstallation } from '../../src/installation-store/installation-store.ts';

/** A cache over a store that never changes unless told, and the keys that were read from it. */
function setCache() {
  const reads: string[] = [];
  let mark = 0;
  const cache = createInstallationCache({ changeMark: () => mark });
  const get = (key: string, during = () => {}): Promise<StoredInstallation | undefined> =>
    cache.get(key, async () => {
      reads.push(key);
      during();
      return { installationId: key, installation: { user: {} } } as StoredInstallation;
    });
  const commit = () => {
    mark += 1;
  };
  return { get, reads, commit };
}

test('an installation that is asked for again and again is read once, however many others come between', async () => {
  const { get, reads } = setCache();
  for (let other = 0; other < 5000; other += 1) {
    await get('busy');
    await get(`other ${other}`);
  }
  assert.equal(reads.filter((key) => key === 'busy').length, 1);
});

test('those that were not asked for the longest make room', async () => {
  const { get, reads } = setCache();
  await get('quiet');
  for (let other = 0; other < 999; other += 1) await get(`other ${other}`);
  await get('quiet');
  assert.equal(reads.filter((key) => key === 'quiet').length, 1, 'a thousand others leave it room');
  for (let other = 1000; other < 4000; other += 1) await get(`other ${other}`);
  await get('quiet');
  assert.equal(reads.filter((key) => key === 'quiet').length, 2);
});

test('nothing that was kept before a commit is given out after it, the older half too', async () => {
  const { get, reads, commit } = setCache();
  await get('old');
  for (let other = 0; other < 1100; other += 1) await get(`other ${other}`);
  await get('new');
  commit();
  reads.length = 0;
  await get('old');
  await get('new');
  assert.deepEqual(reads, ['old', 'new']);
});

test('what was committed while it was read is not kept', async () => {
  const { get, reads, commit } = setCache();
  await get('T1', () => {
    commit();
    void get('T2');
  });
  await get('T1');
  assert.deepEqual(reads, ['T1', 'T2', 'T1']);
});

test('what is kept cannot be changed by whoever asked for it', async () => {
  const { get } = setCache();
  const found = await get('T1');
  assert.throws(() => Object.assign(found?.installation.user ?? {}, { token: 'another' }), TypeError);
});
