import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { localCommands } from '../../src/operator/local-commands.ts';
import { prepareDoctor } from './doctor-harness.ts';
import { createOperatorHarness } from './operator-harness.ts';

const places = [
  {
    where: 'a clone, by npm',
    place: { program: '/srv/app/src/cli.ts', isStartedByNpm: true },
    failed: /`npm run foyer -- list --status broken`/,
    start: /Start Foyer \(npm start\)/,
  },
  {
    where: 'the systemd unit',
    place: { program: '/opt/foyer/current/src/cli.ts', isStartedByNpm: false },
    failed: /`foyer list --status broken`/,
    start: /Start Foyer \(systemctl start foyer\)/,
  },
  {
    where: 'the image',
    place: { program: '/app/src/cli.ts', isStartedByNpm: false },
    failed: /`node src\/cli\.ts list --status broken`/,
    start: /Start Foyer \(docker start or docker compose up -d, on the host\)/,
  },
  {
    where: 'an app that added the package',
    place: { program: '/srv/app/node_modules/.bin/slack-foyer', isStartedByNpm: false },
    failed: /`npx slack-foyer list --status broken`/,
    start: /Start Foyer \(with your app’s own start command\)/,
  },
  {
    where: 'an app that added the package, by npx, which sets the variables of an npm script',
    place: { program: '/srv/app/node_modules/.bin/slack-foyer', isStartedByNpm: true },
    failed: /`npx slack-foyer list --status broken`/,
    start: /Start Foyer \(with your app’s own start command\)/,
  },
];

describe('commands in doctor’s advice', () => {
  for (const { where, place, failed, start } of places) {
    it(`doctor prints commands in the form that works in ${where}`, async (t) => {
      const { doctor, database, closeServer } = await prepareDoctor(t);
      await database.queries.updateTable('installations').set({ status: 'broken' }).execute();
      await closeServer();
      const { findings } = await doctor([], Date.now, { commands: localCommands(place) });
      const fixOf = (check: string) => findings.find((finding) => finding.check === check)?.fix ?? '';
      assert.match(fixOf('tokens-dead'), failed);
      assert.match(fixOf('public-url'), start);
    });
  }
});

test('help, results and errors print commands in the form that works where the operator runs them', async (t) => {
  const { run } = await createOperatorHarness(t);
  const commands = localCommands({ program: '/srv/app/node_modules/.bin/slack-foyer', isStartedByNpm: true });
  const called = [
    await run(['--help'], { commands }),
    await run(['retry', '--help'], { commands }),
    await run(['maintenance', 'on'], { commands }),
    await run(['maintenance', 'status'], { commands }),
    await run(['retry', 'run_none'], { commands }),
  ];
  for (const { stdout, stderr } of called) {
    assert.match(stdout + stderr, /npx slack-foyer/);
    assert.doesNotMatch(stdout + stderr, /npm run foyer/);
  }
});
