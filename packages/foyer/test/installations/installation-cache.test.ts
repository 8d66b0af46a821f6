import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstallationTokens } from '../../src/database/installation-tokens.ts';
import type { StoredInstallation } from '../../src/installations/installation-store.ts';
import { createInstallationCache } from '../../src/installations/open-installation.ts';

/**
 * A cache over a store that changes only on `commit`. `reads` lists the key of each row that the cache reads. The cache
 * passes an earlier version of a row, or undefined, to the function that opens the row. `before` lists these earlier
 * versions.
 */
function setCache() {
  const reads: string[] = [];
  const before: (string | undefined)[] = [];
  const gone = new Set<string>();
  let mark = 0;
  const cache = createInstallationCache({ changeMark: () => mark });
  const get = (key: string, during = () => {}): Promise<StoredInstallation | undefined> =>
    cache.get(
      key,
      async () => {
        reads.push(key);
        during();
        return gone.has(key) ? undefined : ({ id: key, version: mark } as InstallationTokens);
      },
      (row, known) => {
        before.push(known && `${known.row.id} ${known.row.version}`);
        return {
          installationId: row.id,
          version: row.version,
          installation: { user: {} },
        } as StoredInstallation;
      },
    );
  const commit = () => {
    mark += 1;
  };
  return { get, reads, before, gone, commit };
}

test('a frequently requested installation is read once, even if thousands of other installations are requested too', async () => {
  const { get, reads } = setCache();
  for (let other = 0; other < 5000; other += 1) {
    await get('busy');
    await get(`other ${other}`);
  }
  assert.equal(reads.filter((key) => key === 'busy').length, 1);
});

test('the cache keeps an installation while 999 others are requested, and drops it after 3,000 more', async () => {
  const { get, reads } = setCache();
  await get('quiet');
  for (let other = 0; other < 999; other += 1) await get(`other ${other}`);
  await get('quiet');
  assert.equal(reads.filter((key) => key === 'quiet').length, 1, 'a thousand others do not push it out');
  for (let other = 1000; other < 4000; other += 1) await get(`other ${other}`);
  await get('quiet');
  assert.equal(reads.filter((key) => key === 'quiet').length, 2);
});

test('after a commit, the cache reads every installation again, including those in the older half of the cache', async () => {
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

test('after a commit, the cache passes the earlier version of a row to the function that opens the new one, unless the last read found no row', async () => {
  const { get, before, gone, commit } = setCache();
  await get('T1');
  commit();
  assert.equal((await get('T1'))?.version, 1, 'the current row is returned');
  commit();
  gone.add('T1');
  assert.equal(await get('T1'), undefined);
  gone.clear();
  await get('T1');
  assert.deepEqual(before, [undefined, 'T1 0', undefined]);
});

test('caching an installation again evicts no other installation', async () => {
  const { get, before, commit } = setCache();
  for (let number = 0; number < 2000; number += 1) await get(`T${number}`);
  commit();
  await get('T1999');
  await get('T0');
  assert.deepEqual(before.slice(2000), ['T1999 0', 'T0 0']);
});

test('an installation is not cached if something was committed while it was read', async () => {
  const { get, reads, commit } = setCache();
  await get('T1', () => {
    commit();
    void get('T2');
  });
  await get('T1');
  assert.deepEqual(reads, ['T1', 'T2', 'T1']);
});

test('the caller cannot change the cached installation', async () => {
  const { get } = setCache();
  const found = await get('T1');
  assert.throws(() => Object.assign(found?.installation.user ?? {}, { token: 'another' }), TypeError);
});
