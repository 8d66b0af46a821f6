import { createRandom } from '../load/random.ts';
import { teamIdOf } from '../load/signed-events.ts';
import { installationOf } from '../seed/bench-installation.ts';
import { present } from './contender.ts';
import type { BenchStore } from './stores/bench-store.ts';
import { foyerStore, foyerStoreUncached } from './stores/foyer-store.ts';
import { kyselyStore } from './stores/kysely-store.ts';
import { preparedPostgresStore } from './stores/prepared-postgres-store.ts';
import { preparedSqliteStore } from './stores/prepared-sqlite-store.ts';

/** Measures a store alone, with one call after the other. */
const { STORE = '', PLACE = '', TEAMS = '0' } = process.env;
const open: Readonly<Record<string, (place: string) => BenchStore | Promise<BenchStore>>> = {
  foyer: foyerStore,
  uncached: foyerStoreUncached,
  kysely: kyselyStore,
  prepared: PLACE.startsWith('postgres') ? preparedPostgresStore : preparedSqliteStore,
};
const opened = await open[STORE]?.(PLACE);
if (!opened) throw new Error(`unknown store: ${STORE}`);
const store = opened;
const random = createRandom(7);

async function msOf(count: number, work: (index: number) => unknown): Promise<number> {
  const startedAt = performance.now();
  for (let index = 0; index < count; index += 1) await work(index);
  return performance.now() - startedAt;
}

present({
  port: 0,
  answers: {
    /** Reads `count` random teams of those that were seeded; returns how many milliseconds that took. */
    fetch: (count) => msOf(Number(count), () => store.fetch(teamIdOf(Math.floor(random() * Number(TEAMS))))),
    store(argument) {
      const { first, count } = argument as { first: number; count: number };
      return msOf(count, (index) => store.store(installationOf(first + index)));
    },
    remove(argument) {
      const { first, count } = argument as { first: number; count: number };
      return msOf(count, (index) => store.remove(teamIdOf(first + index)));
    },
  },
  stop: () => store.close(),
});
