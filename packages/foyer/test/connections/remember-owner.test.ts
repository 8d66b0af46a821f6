import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import type { Step } from '../../src/pipeline/step.ts';
import { builtInSteps } from '../../src/steps/steps.ts';
import { eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { claimsOf, resultOf, setConnectStage, sign } from './connect-stage.ts';

/** The host's users, as a step sees them. */
interface Users {
  update(id: string, change: { slackTeamId: string | null }): Promise<void>;
}

export const rememberOwner = (users: Users): Step => ({
  name: 'remember-owner',
  title: { todo: 'Link your account', doing: 'Linking your account' },
  async run({ connection, teamId }) {
    if (connection?.subject) await users.update(connection.subject, { slackTeamId: teamId });
    return null;
  },
});

it('the example step in docs/connect.md saves the workspace’s id on the host’s own user record', async (t) => {
  const own = readFileSync(import.meta.filename, 'utf8');
  const [, step = ''] = /(export const rememberOwner = [\s\S]*?\n\}\);\n)/.exec(own) ?? [];
  const page = readFileSync(new URL('../../../../docs/connect.md', import.meta.url), 'utf8');
  assert.ok(step.length > 200 && page.includes(step), 'docs/connect.md shows another step');

  const teams = new Map<string, string | null>();
  const users: Users = {
    async update(id, { slackTeamId }) {
      teams.set(id, slackTeamId);
    },
  };
  const stage = await setConnectStage({ definition: { install: [...builtInSteps(), rememberOwner(users)] } });
  t.after(() => stage.close());
  const [acme, globex] = [stage.person('Acme'), stage.person('Globex')];
  const ends = [
    await stage.connect(acme, sign(claimsOf({ sub: 'ada', return_to: undefined }))),
    await install(globex.visitor, stage.url, stage.sandbox, globex),
  ];
  for (const [index, { visitor }] of [acme, globex].entries()) {
    const run = await finishedRun(visitor, stage.url + ends[index]?.headers.get('location'));
    assert.equal(run.steps.at(-1)?.status, 'succeeded');
  }
  assert.deepEqual([...teams], [['ada', acme.teamId]]);
  const other = stage.sandbox.addWorkspace({ name: 'Hooli' });
  resultOf(await stage.connect(stage.person('Hooli'), sign(claimsOf({ sub: 'bo', org: 'org-2' }))));
  assert.equal(await eventually(async () => teams.get('bo') ?? undefined), other.id);
});
