import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, defineFoyer, type Step } from '../../src/index.ts';
import { createVisitor, eventually, finishedRun, install, type Visitor } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { launchBrowser } from '../support/launch-browser.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

const title = { todo: 'Choose', doing: 'Choosing' };
const options = [
  { value: 'free', label: 'Free' },
  { value: 'team', label: 'For a <team>' },
];
const choose: Step = {
  name: 'choose',
  title,
  async run({ answer }) {
    return answer ?? ask({ id: 'plan', text: 'Which <plan>?', input: { type: 'choice', options } });
  },
};
const write: Step = {
  name: 'write',
  title,
  async run({ answer }) {
    return answer ?? ask({ id: 'words', text: 'Say it', input: { type: 'text' } });
  },
};
const channel: Step = {
  name: 'channel',
  title,
  async run({ answer }) {
    return answer ?? ask({ id: 'where', text: 'Where?', input: { type: 'channel' } });
  },
};

const cookiesOf = ({ cookies }: Visitor): string =>
  [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

/** Installs an app with these steps. `asked` waits until the run asks a question, such as `choose/plan`. */
async function setQuestionStage(
  t: { after(end: () => unknown): void },
  engine: 'SQLite' | 'Postgres',
  steps: Step[],
) {
  const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), install: steps });
  const stage = await setStage({ engine, foyer: { definition } });
  t.after(() => stage.close());
  const { sandbox, url } = stage;
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
  const visitor = createVisitor();
  const done = await install(visitor, url, sandbox, acme);
  const page = url + (done.headers.get('location') ?? '');
  const status = async () =>
    (await (await visitor.get(`${page}/status`)).json()) as { status: string; question: string | null };
  const asked = (question: string) => eventually(async () => (await status()).question === question);
  const html = async (by = visitor) => (await by.get(page)).text();
  const ticket = async () => /name="ticket" value="([^"]+)"/.exec(await html())?.[1] ?? '';
  function post(
    fields: Record<string, string>,
    {
      cookie = cookiesOf(visitor),
      site = 'same-origin',
      to = page,
    }: { cookie?: string; site?: string; to?: string } = {},
  ): Promise<Response> {
    return fetch(to, {
      ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) },
      headers: { connection: 'close', cookie, 'sec-fetch-site': site },
    });
  }
  return { stage, acme, visitor, page, done, status, asked, html, ticket, post };
}

async function outputs({ database }: Stage): Promise<unknown[]> {
  const query = 'select name, output from steps order by position';
  const rows = await database.rows<{ name: string; output: string | null }>(query);
  return rows.map(({ name, output }) => [name, JSON.parse(output ?? 'null')]);
}

const messagesOf = ({ sandbox }: Stage, place: { teamId: string; userId: string }) =>
  sandbox.messages(place).map(({ blocks, text }) => `${text} ${JSON.stringify(blocks)}`);

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`a question on the progress page (${engine})`, () => {
    it('a question can be answered on the progress page only in the browser that installed the app', async (t) => {
      const play = await setQuestionStage(t, engine, [choose, write]);
      const { stage, acme, visitor, page, asked, html, ticket, post } = play;
      await asked('choose/plan');
      await eventually(async () => messagesOf(stage, acme).some((text) => text.includes('foyer.answer')));
      const shown = await visitor.get(page);
      assert.match(shown.headers.get('content-security-policy') ?? '', /form-action 'self'/);
      const document = await shown.text();
      assert.match(document, /<h2 id="question">Which &lt;plan&gt;\?<\/h2>/);
      assert.match(
        document,
        /<input type="radio" name="answer" value="team" required> <span>For a &lt;team&gt;</,
      );
      assert.doesNotMatch(document, /http-equiv="refresh"/, 'it would clear the form');

      const other = createVisitor();
      const elsewhere = await html(other);
      assert.match(elsewhere, /Which &lt;plan&gt;\?[\s\S]*Answer it in Slack/);
      assert.doesNotMatch(elsewhere, /<form|ticket/);
      const good = { ticket: await ticket(), answer: 'team' };
      const cookie = cookiesOf(visitor);
      const name = [...visitor.cookies.keys()].find((key) => key.startsWith('foyer-installer-')) ?? '';
      assert.match(play.done.headers.get('set-cookie') ?? '', /foyer-installer-.*HttpOnly; SameSite=Lax/);
      const refused = [
        ['another browser', post(good, { cookie: '' })],
        ['a made-up cookie', post(good, { cookie: `${name}=v1.main.x` })],
        ['another site', post(good, { site: 'cross-site' })],
        ['a sibling host', post(good, { site: 'same-site' })],
        ['no ticket', post({ answer: 'team' })],
        ['a made-up ticket', post({ ...good, ticket: visitor.cookies.get(name) ?? '' })],
        ['a body that is too long', post({ ...good, answer: 'x'.repeat(40_000) })],
      ] as const;
      for (const [what, answer] of refused) {
        const response = await answer;
        assert.equal(response.status, 400, what);
        assert.doesNotMatch(await response.text(), /Nothing was installed/, what);
      }
      assert.equal((await post(good, { cookie, to: `${page}x` })).status, 404);
      const questions = () =>
        stage.database.rows<{ answer: string | null; answered_by: string | null }>(
          'select answer, answered_by from questions',
        );
      assert.deepEqual(await questions(), [{ answer: null, answered_by: null }]);

      // An answer that is not one of the choices is refused; after a restart, a valid answer is accepted.
      const invalid = await post({ ...good, answer: 'gold' });
      assert.deepEqual(
        [invalid.status, new URL(invalid.headers.get('location') ?? '', page).search],
        [303, '?answer=invalid'],
      );
      assert.match(
        await (await visitor.get(`${page}?answer=invalid`)).text(),
        /role="alert">This answer cannot be used/,
      );
      await stage.stop();
      await stage.start();
      const done = await post(good);
      assert.deepEqual([done.status, url(done, page)], [303, page]);
      await eventually(async () => messagesOf(stage, acme).some((text) => /answered: For a/.test(text)));
      const twice = await post({ ...good, answer: 'free' });
      assert.equal(url(twice, page), `${page}?answer=answered-before`);
      assert.match(
        await (await visitor.get(url(twice, page))).text(),
        /already answered. The first answer counts/,
      );

      await asked('write/words');
      assert.equal(
        (await post({ ...good, ticket: await ticket(), answer: '  ' })).headers
          .get('location')
          ?.includes('invalid'),
        true,
      );
      // The longest possible answer, in characters that take the most bytes in a form.
      const longest = `${'語'.repeat(2997)}\r\n語`;
      await post({ ticket: await ticket(), answer: longest });
      await finishedRun(visitor, page);
      assert.deepEqual(await outputs(stage), [
        ['choose', 'team'],
        ['write', longest.replace('\r\n', '\n')],
      ]);
      const answers = await questions();
      assert.ok(answers.every(({ answered_by }) => answered_by === acme.userId));
    });

    it('the progress page refuses an answer to a question that was already answered in Slack, and says that a channel can only be chosen in Slack', async (t) => {
      const play = await setQuestionStage(t, engine, [write, channel]);
      const { stage, acme, visitor, page, asked, html, ticket, post } = play;
      const { sandbox } = stage;
      await asked('write/words');
      const before = await ticket();
      const blockId = await eventually(async () => {
        const [found] = /[^"]+\/write\/words(?=")/.exec(messagesOf(stage, acme).join()) ?? [];
        return found;
      });
      const entered = {
        [blockId]: { 'foyer.answer.input': { type: 'plain_text_input', value: 'in Slack' } },
      };
      await sandbox.press({ ...acme, actionId: 'foyer.answer', where: 'message', entered });
      await asked('channel/where');
      const late = await post({ ticket: before, answer: 'on the web' });
      assert.equal(url(late, page), `${page}?answer=answered-before`);
      const document = await html();
      assert.match(document, /Where\?[\s\S]*Answer it in Slack: a channel can only be chosen there/);
      assert.doesNotMatch(document, /<form/);
      await sandbox.uninstall(acme);
      await finishedRun(visitor, page);
      assert.equal((await outputs(stage))[0]?.toString(), 'write,in Slack');
    });
  });
}

for (const javaScriptEnabled of [true, false]) {
  it(`a person answers two questions on the progress page in a browser ${javaScriptEnabled ? 'with' : 'without'} scripts`, async (t) => {
    const definition = defineFoyer({ manifest: JSON.parse(fixtureManifest), install: [choose, write] });
    const [stage, browser] = await Promise.all([setStage({ foyer: { definition } }), launchBrowser()]);
    t.after(() => Promise.all([stage.close(), browser.close()]));
    const page = await (await browser.newContext({ javaScriptEnabled })).newPage();
    const problems: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
    await page.goto(stage.url);
    await page.getByRole('link', { name: 'Add to Slack' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByRole('radio', { name: 'For a <team>' }).check();
    // With scripts, the page polls during this wait. Without scripts, it must not reload. In both cases, the radio
    // button must remain checked.
    await page.waitForTimeout(javaScriptEnabled ? 1500 : 2500);
    await page.getByRole('button', { name: 'Send the answer' }).click();
    await page.getByRole('textbox', { name: 'Your answer' }).fill('Two\nlines');
    await page.getByRole('button', { name: 'Send the answer' }).click();
    await page.getByRole('heading', { name: 'You’re all set' }).waitFor();
    assert.deepEqual(await outputs(stage), [
      ['choose', 'team'],
      ['write', 'Two\nlines'],
    ]);
    assert.deepEqual(problems, []);
  });
}

const url = (answer: Response, page: string): string =>
  new URL(answer.headers.get('location') ?? '', page).href;
