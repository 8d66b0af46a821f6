import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createVisitor, eventually } from '../../src/testing/visitor.ts';
import { claimsOf, host, resultOf, secret, sign, ticketOf } from '../connections/connect-stage.ts';
import { isFullRun } from './support/full-run.ts';
import { atCall, atCommit, type KillPoint } from './support/kill-points.ts';
import { type ProcessStage, setProcessStage } from './support/process-stage.ts';
import { heldTokens, liveTokens } from './support/tokens.ts';

/**
 * Kills Foyer with SIGKILL during an install whose link asks for a connection. By invariant 1, Foyer stores the
 * installation and the connection together, or neither of them.
 */

const patienceMs = 60_000;

function killPoints(engine: ProcessStage['engine']): KillPoint[] {
  const commits = isFullRun ? [1, 2, 3, 4, 5, 6, 7] : [2, 3, 4];
  return [
    atCall('oauth.v2.access', 1, 'before its answer'),
    atCall('auth.test', 1, 'before its answer'),
    atCall('auth.test', 1, 'after its answer'),
    // `users.info` is the first call of the run, so the install is already stored. The commit numbers below cannot
    // guarantee that, because other work commits too.
    atCall('users.info', 1, 'before its answer'),
    ...commits.map((nth) => atCommit(nth)),
    ...(engine === 'Postgres' ? commits.map((nth) => atCommit(nth, 'before')) : []),
  ];
}

interface Stored {
  team_id: string;
  org: string | null;
  runs: number;
}

/** Each stored installation, with its account and its number of runs. */
function stored(stage: ProcessStage): Promise<Stored[]> {
  return stage.rows<Stored>(
    `select i.team_id, c.org, (select count(*) from runs r where r.installation_id = i.id) as runs
      from installations i left join connections c on c.installation_id = i.id`,
  );
}

/**
 * Opens the link in a fresh browser and allows the install at Slack; returns the callback. If the link has been used,
 * returns Foyer's redirect back to the host instead.
 */
async function begin(stage: ProcessStage, token: string, person: { teamId: string; userId: string }) {
  const visitor = createVisitor();
  const page = await visitor.get(`${stage.url}/slack/install?connect=${token}`);
  if (page.status !== 200) return { visitor, back: page };
  const press = { ticket: ticketOf(await page.text()), decision: 'continue' };
  const toSlack = await visitor.post(`${stage.url}/slack/install`, press);
  const authorizeUrl = toSlack.headers.get('location') ?? '';
  return { visitor, callback: await stage.sandbox.consent({ authorizeUrl, ...person }) };
}

for (const engine of ['SQLite', 'Postgres'] as const) {
  it(`if Foyer is killed during an install that began with a link, it has stored either the installation, the connection and the run, or none of them (${engine})`, async (t) => {
    const stage = await setProcessStage({
      engine,
      environment: { CONNECT_SECRET: secret, CONNECT_RETURN_ORIGINS: host },
    });
    t.after(() => stage.close());
    const outcomes: string[] = [];
    for (const [index, point] of killPoints(engine).entries()) {
      const workspace = stage.sandbox.addWorkspace({ name: `Company ${index}` });
      const person = { teamId: workspace.id, userId: stage.sandbox.person(workspace.name, 'owner').id };
      const org = `org-${index}`;
      const token = sign(claimsOf({ org }));
      const { visitor, callback = '' } = await begin(stage, token, person);
      const disarm = point.arm(stage, () => stage.foyer().kill());
      await visitor.get(callback).catch(() => undefined);
      stage.foyer().kill();
      await stage.foyer().ended;
      disarm();
      const found = (await stored(stage)).filter(({ team_id }) => team_id === person.teamId);
      outcomes.push(`${point.name}: ${found.length === 1 ? 'stored' : 'nothing stored'}`);
      assert.deepEqual(
        found,
        found.length === 0 ? [] : [{ team_id: person.teamId, org, runs: 1 }],
        point.name,
      );

      await stage.start();
      // The person opens the link again. It leads back to the host if the install is stored, and to Slack otherwise.
      const again = await begin(stage, token, person);
      const answer = again.back ?? (await again.visitor.get(again.callback ?? ''));
      assert.deepEqual([resultOf(answer).outcome, resultOf(answer).org], ['installed', org], point.name);
      assert.equal(again.back !== undefined, found.length === 1, point.name);
      await eventually(
        async () => (await stage.rows('select id from runs where finished_at is null')).length === 0,
        patienceMs,
      );
    }
    const all = await stored(stage);
    assert.equal(all.length, outcomes.length);
    for (const { org } of all) assert.ok(org, 'an installation without its connection');
    // Foyer revokes tokens of an interrupted install only after a minute, so some may still be live here.
    const live = liveTokens(stage.sandbox);
    assert.deepEqual(
      (await heldTokens(stage.config)).filter((token) => !live.includes(token)),
      [],
      'a stored token that does not work at Slack',
    );
    const alone = 'select id from connections where installation_id not in (select id from installations)';
    assert.deepEqual(await stage.rows(alone), [], 'a connection without its installation');
    assert.ok(
      outcomes.some((line) => line.endsWith(': stored')) &&
        outcomes.some((line) => line.endsWith('nothing stored')),
    );
  });
}
