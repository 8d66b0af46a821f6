import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, builtInSteps, defineFoyer, type Step } from '../../src/index.ts';
import { createVisitor, eventually, install } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { launchBrowser } from '../support/launch-browser.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

const options = [
  { value: 'free', label: 'Free <b>' },
  { value: 'team', label: 'For a team' },
];

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`questions and their answers work on ${engine}`, () => {
    it('a question accepts one answer in Slack, only from a person who may answer it, even after a restart', async () => {
      const answers: (string | null)[][] = [];
      const choosePlan: Step = {
        name: 'choose-plan',
        title: { todo: 'Choose a plan', doing: 'Choosing a plan' },
        async run({ teamId, answer }) {
          if (answer === undefined)
            return ask({ id: 'plan', text: 'Which *plan*?', input: { type: 'choice', options } });
          answers.push([teamId, answer]);
          return answer;
        },
      };
      const definition = defineFoyer({
        manifest: JSON.parse(fixtureManifest),
        install: [...builtInSteps(), choosePlan],
      });
      const stage = await setStage({ engine, foyer: { definition } });
      try {
        const { sandbox, url } = stage;
        const [acme, globex] = ['Acme', 'Globex'].map((name) => {
          const owner = { teamId: sandbox.workspace(name).id, userId: sandbox.person(name, 'owner').id };
          const member = { teamId: owner.teamId, userId: sandbox.person(name, 'member').id };
          return { owner, member };
        });
        assert.ok(acme && globex);
        for (const { owner } of [acme, globex]) {
          await install(createVisitor(), url, sandbox, owner);
          await eventually(async () => asked(stage, owner) === 1);
          await eventually(async () => (await runOf(stage, owner.teamId))?.status === 'waiting');
        }
        await stage.stop();
        await stage.start();

        await sandbox.openHome(acme.owner);
        await sandbox.openHome(acme.member);
        await eventually(async () => homeOf(stage, acme.owner).includes('foyer.answer'));
        assert.match(homeOf(stage, acme.owner), /Which ∗plan∗\?/);
        await eventually(async () => homeOf(stage, acme.member) !== '');
        assert.ok(!homeOf(stage, acme.member).includes('foyer.answer'));

        // A member of Acme and the owner of Globex submit the form of Acme's owner.
        const form = formOf(stage, acme.owner);
        for (const stranger of [acme.member, globex.owner]) {
          await sandbox.openHome(stranger);
          await eventually(async () => homeOf(stage, stranger) !== '');
          sandbox.homeView(stranger)?.blocks.push(...form);
          const blockId = String(form.at(-1)?.block_id);
          const forged = { ...stranger, actionId: 'foyer.answer', blockId, entered: entered(form, 'team') };
          assert.equal((await sandbox.press(forged)).status, 200);
        }
        // The owner presses the button without having chosen an option.
        const press = { ...acme.owner, actionId: 'foyer.answer', where: 'message' } as const;
        assert.equal((await sandbox.press(press)).status, 200);
        await eventually(async () => sandbox.calls('views.open').length === 1);
        assert.equal((await runOf(stage, acme.owner.teamId))?.status, 'waiting');
        assert.deepEqual(answers, []);

        const message = formOf(stage, acme.owner);
        const first = sandbox.messages(acme.owner).find(({ blocks }) => isForm(blocks));
        assert.ok(first);
        assert.equal((await sandbox.press({ ...press, entered: entered(message, 'team') })).status, 200);
        await eventually(async () => (await runOf(stage, acme.owner.teamId))?.status === 'succeeded');
        assert.deepEqual(answers, [[acme.owner.teamId, 'team']]);
        await eventually(async () => asked(stage, acme.owner) === 0);
        const shown = JSON.stringify(sandbox.messages(acme.owner).map(({ blocks }) => blocks));
        assert.match(shown, new RegExp(`<@${acme.owner.userId}> answered: For a team`));
        await eventually(async () => !homeOf(stage, acme.owner).includes('foyer.answer'));

        // Makes the message show its form again, as if chat.update had failed. If the owner then submits the form a
        // second time, Foyer only closes it.
        const closed = sandbox.messages(acme.owner).find(({ ts }) => ts === first.ts);
        assert.ok(closed);
        closed.blocks = message;
        assert.equal((await sandbox.press({ ...press, entered: entered(message, 'free') })).status, 200);
        await eventually(async () => asked(stage, acme.owner) === 0);
        assert.equal(answers.length, 1);
        assert.equal((await runOf(stage, globex.owner.teamId))?.status, 'waiting');

        await sandbox.press({
          ...globex.owner,
          actionId: 'foyer.answer',
          where: 'message',
          entered: entered(formOf(stage, globex.owner), 'free'),
        });
        await eventually(async () => answers.length === 2);
        assert.deepEqual(answers[1], [globex.owner.teamId, 'free']);
      } finally {
        await stage.close();
      }
    });
  });
}

it('people answer questions in the sandbox’s Slack client: with text in Home, and with a channel in the DM', async () => {
  const report: Step = {
    name: 'report',
    title: { todo: 'Choose a channel', doing: 'Choosing a channel' },
    async run({ answers }) {
      const { name, channel } = answers;
      if (name === undefined) return ask({ id: 'name', text: 'Whose report?', input: { type: 'text' } });
      if (channel === undefined) return ask({ id: 'channel', text: 'Where to?', input: { type: 'channel' } });
      return answers;
    },
  };
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), install: [report] });
  const stage = await setStage({ foyer: { definition } });
  const browser = await launchBrowser();
  try {
    const { sandbox, url } = stage;
    const owner = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
    await install(createVisitor(), url, sandbox, owner);
    const asksFor = (text: string) =>
      eventually(async () => {
        const run = await runOf(stage, owner.teamId);
        return run?.status === 'waiting' && JSON.stringify(sandbox.messages(owner)).includes(text);
      });
    await asksFor('Whose report?');
    const page = await browser.newPage();
    const client = `${sandbox.url}/client`;
    await page.goto(`${client}/switch?team=${owner.teamId}&user=${owner.userId}`);
    await page.goto(`${client}/${owner.teamId}/app/home`);
    await page.locator('.block-input textarea').fill('Ada & <Grace>');
    await page.getByRole('button', { name: 'Send the answer' }).click();
    await asksFor('Where to?');
    await page.goto(`${client}/${owner.teamId}/app`);
    await page.getByRole('link', { name: 'Messages' }).click();
    await page.getByText('answered: Ada & <Grace>').waitFor();
    const channels = page.locator('.block-input select');
    const channelId = (await channels.locator('option').nth(1).getAttribute('value')) ?? '';
    await channels.selectOption(channelId);
    await page.getByRole('button', { name: 'Send the answer' }).click();
    await eventually(async () => (await runOf(stage, owner.teamId))?.status === 'succeeded');
    await eventually(async () =>
      JSON.stringify(sandbox.messages(owner)).includes(`answered: <#${channelId}>`),
    );
  } finally {
    await browser.close();
    await stage.close();
  }
});

it('if Slack refuses the DM with a question, App Home shows the question, and the run waits for the answer', async () => {
  const ownStep: Step = {
    name: 'report',
    title: { todo: 'Name the report', doing: 'Naming the report' },
    run: async ({ answer }) => answer ?? ask({ id: 'name', text: 'Whose report?', input: { type: 'text' } }),
  };
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), install: [ownStep] });
  const stage = await setStage({ foyer: { definition } });
  try {
    const { sandbox, url } = stage;
    const owner = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
    const failure = { type: 'error', error: 'messages_tab_disabled' } as const;
    sandbox.faults.add({ method: 'chat.postMessage', failure });
    await install(createVisitor(), url, sandbox, owner);
    await eventually(async () => (await runOf(stage, owner.teamId))?.status === 'waiting');
    assert.equal(asked(stage, owner), 0);
    await sandbox.openHome(owner);
    await eventually(async () => homeOf(stage, owner).includes('foyer.answer'));
    assert.match(homeOf(stage, owner), /Whose report\?/);
    assert.equal((await runOf(stage, owner.teamId))?.status, 'waiting');
  } finally {
    await stage.close();
  }
});

type Person = { teamId: string; userId: string };
type Blocks = NonNullable<ReturnType<Stage['sandbox']['messages']>[number]['blocks']>;

const homeOf = ({ sandbox }: Stage, person: Person): string =>
  JSON.stringify(sandbox.homeView(person)?.blocks) ?? '';

async function runOf(stage: Stage, teamId: string) {
  return (await stage.foyer().find({ teamId }))?.run;
}

const isForm = (blocks: Blocks | null): boolean => JSON.stringify(blocks).includes('foyer.answer');

function asked({ sandbox }: Stage, person: Person): number {
  return sandbox.messages(person).filter(({ blocks }) => isForm(blocks)).length;
}

function formOf({ sandbox }: Stage, person: Person): Blocks {
  return structuredClone(sandbox.messages(person).findLast(({ blocks }) => isForm(blocks))?.blocks ?? []);
}

/** The choice that a person makes in a form. */
function entered(form: Blocks, value: string) {
  const blockId = String(form.find(({ type }) => type === 'input')?.block_id);
  return { [blockId]: { 'foyer.answer.input': { type: 'static_select', selected_option: { value } } } };
}
