import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { DatabaseUnavailableError } from '../../src/database/database.ts';
import { createCommitLifecycle } from '../../src/events/lifecycle-events.ts';
import type { InstallationStore } from '../../src/installations/installation-store.ts';

const log = pino({ level: 'silent' });
const at = 1_800_000_000;
const eventOf = (event: object) => ({
  type: 'event_callback',
  team_id: 'T1',
  event_id: 'Ev1',
  event_time: at,
  event,
});
const uninstall = eventOf({ type: 'app_uninstalled' });
const revocation = eventOf({ type: 'tokens_revoked', tokens: { oauth: ['U1'], bot: ['UBOT'] } });

/** A store whose database hangs until the test resolves the call. */
function hangingStore() {
  const waiting: ((changed: boolean) => void)[] = [];
  const hang = () => new Promise<boolean>((answer) => waiting.push(answer));
  const findTenant = async (candidates: unknown[]) => candidates[0];
  const store = { findTenant, deleteInstallation: hang, revokeUserTokens: hang, revokeBot: hang };
  return { store: store as unknown as InstallationStore, waiting };
}

for (const [name, event] of Object.entries({ uninstall, revocation })) {
  test(`an event is refused within three seconds if the database hangs (${name})`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { store } = hangingStore();
    const commit = createCommitLifecycle({ store, onChanged: () => assert.fail('nothing changed'), log });
    const refused = assert.rejects(async () => commit(event, at * 1000), DatabaseUnavailableError);
    t.mock.timers.tick(2600);
    await refused;
  });
}

test('a commit that succeeds after its time limit still calls `onChanged`, and a late failure causes no unhandled rejection', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { store, waiting } = hangingStore();
  const changed = Promise.withResolvers<string | undefined>();
  const onChanged = ({ teamId }: { teamId: string | undefined }) => changed.resolve(teamId);
  const commit = createCommitLifecycle({ store, onChanged, log });
  const refused = [1, 2].map(() => assert.rejects(async () => commit(uninstall, at * 1000)));
  t.mock.timers.tick(2600);
  await Promise.all(refused);
  const [fails, succeeds] = waiting;
  fails?.(Promise.reject(new Error('gone')) as unknown as boolean);
  succeeds?.(true);
  assert.equal(await changed.promise, 'T1');
});

test('an event that names neither a team nor an enterprise is acknowledged and logged', async () => {
  const lines: string[] = [];
  const told = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
  const { store } = hangingStore();
  const commit = createCommitLifecycle({ store, onChanged: () => assert.fail('nothing changed'), log: told });
  await commit({ ...uninstall, team_id: 5 }, at * 1000);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"event":"app_uninstalled".*names neither a team nor an enterprise/);
});
