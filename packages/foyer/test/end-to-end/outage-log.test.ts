import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DatabaseUnavailableError } from '../../src/database/database.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createVisitor, finishedRun, install } from '../../src/testing/visitor.ts';
import { signedPost } from '../faults/support/signed-post.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

describe('a database outage', () => {
  let stage: Stage;
  let isDown = false;
  before(async () => {
    stage = await setStage({
      environment: { LOG_LEVEL: 'info' },
      foyer: {
        async openDatabase(target, options) {
          const database = await openDatabase(target, options);
          const write: typeof database.write = (work, patienceMs) =>
            isDown
              ? Promise.reject(new DatabaseUnavailableError('The database cannot be used: it is down.'))
              : database.write(work, patienceMs);
          return { ...database, write };
        },
      },
    });
  });
  after(async () => {
    isDown = false;
    await stage.close();
  });

  it('during a database outage, a thousand failing events cause at most ten log lines', async () => {
    const { sandbox, url, config } = stage;
    const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
    const visitor = createVisitor();
    const done = await install(visitor, url, sandbox, acme);
    await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
    const before = stage.logged().length;
    isDown = true;
    const statuses = new Map<number, number>();
    const send = async (n: number): Promise<void> => {
      const event = { type: 'app_uninstalled' };
      const body = { type: 'event_callback', team_id: acme.teamId, event_id: `Ev${n}`, event };
      const { status } = await signedPost({ url, signingSecret: config.slack.signingSecret, body });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    };
    for (let n = 0; n < 1000; n += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, each) => send(n + each)));
    }
    const written = stage.logged().slice(before);
    assert.deepEqual([...statuses], [[503, 1000]]);
    assert.ok(written.some((line) => line.includes('could not be committed')));
    assert.ok(written.length <= 10, `${written.length} lines:\n${written.join('\n')}`);
    stage.foyer();
    isDown = false;
  });

  it('after a database outage, one log line counts the failures that were not logged individually', async () => {
    await stage.stop();
    const line = stage.logged().findLast((each) => each.includes('could not be committed'));
    assert.equal(JSON.parse(line ?? '').count, 997);
  });
});
