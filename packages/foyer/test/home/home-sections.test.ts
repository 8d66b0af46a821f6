import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import type { KnownBlock } from '@slack/types';
import { createLogger } from '../../src/config/log.ts';
import {
  askHomeSections,
  type BoundHomeSection,
  bindHomeSections,
  composeHome,
} from '../../src/home/home-sections.ts';
import { openHome } from './open-home.ts';

const say = (text: string): KnownBlock => ({ type: 'section', text: { type: 'mrkdwn', text } });
const notices = { failed: 'Failed.', cut: 'Cut.' };
const opened = { installationId: 'ins_1', userId: 'U1', opened: true };

async function homeWith(t: TestContext, ...sections: BoundHomeSection[]) {
  const home = await openHome({ sections });
  t.after(() => home.close());
  return { ...home, last: () => home.shown('U1').at(-1)?.args.view ?? '' };
}

describe('an app’s own Home sections', () => {
  it('an app’s own Home sections appear above the install record, in order, and each gets the viewer', async (t) => {
    const asked: unknown[] = [];
    const home = await homeWith(
      t,
      {
        id: 'one',
        blocks: (viewer) => {
          asked.push(viewer);
          return [say('first of all')];
        },
      },
      { id: 'two', blocks: async () => [say('and second')] },
    );
    await home.person('T1', 'U1', true, home.clock.now);
    await home.publishHome(opened);
    await home.publishHome({ installationId: 'ins_2', userId: 'U5' });
    assert.match(home.last(), /first of all.*and second.*Team 1/);
    const ada = { userId: 'U1', isInstaller: true, isAdmin: true, installationId: 'ins_1', teamId: 'T1' };
    const eve = { userId: 'U5', isInstaller: false, isAdmin: false, installationId: 'ins_2', teamId: 'T2' };
    assert.deepEqual(asked, [
      { ...ada, enterpriseId: null, locale: null },
      { ...eve, enterpriseId: null, locale: null },
    ]);
  });

  it('an app’s own Home sections are built and shown each time Home is opened, even if Foyer has nothing new to show', async (t) => {
    let count = 0;
    const home = await homeWith(t, { id: 'count', blocks: () => [say(`opened ${++count} times`)] });
    await home.publishHome(opened);
    await home.publishHome(opened);
    assert.match(home.last(), /opened 2 times/);
    assert.equal(home.shown('U1').length, 2);
  });

  it('an app’s own Home sections are sent even if they have not changed since Home was last opened', async (t) => {
    const home = await homeWith(t, { id: 'same', blocks: () => [say('always this')] });
    for (let time = 0; time < 3; time += 1) {
      assert.equal((await home.publishHome(opened)).reason, 'sent');
    }
    assert.equal(home.shown('U1').length, 3);
  });

  it('an app’s own Home sections are shown even if another section fails, and no error text is shown', async (t) => {
    const home = await homeWith(
      t,
      {
        id: 'throws',
        blocks: () => {
          throw new Error('secret detail');
        },
      },
      { id: 'rejects', blocks: () => Promise.reject(new Error('secret detail')) },
      { id: 'nonsense', blocks: () => [JSON.parse('{"no":"type"}')] },
      { id: 'works', blocks: () => [say('still here')] },
    );
    assert.equal((await home.publishHome(opened)).reason, 'sent');
    assert.equal(home.last().split('cannot be shown right now').length, 4);
    assert.match(home.last(), /still here.*Team 1/);
    assert.doesNotMatch(home.last(), /secret detail/);
    const failures = home.logged.map((line) => JSON.parse(line)).map(({ section, msg }) => [section, msg]);
    assert.deepEqual(
      failures.toSorted(),
      ['nonsense', 'rejects', 'throws'].map((id) => [id, 'a Home section failed']),
    );
    assert.match(home.logged.join(), /secret detail/);
  });

  it('if Slack refuses the blocks of one of an app’s own Home sections, a notice replaces that section and the others stay', async (t) => {
    const home = await homeWith(
      t,
      { id: 'good', blocks: () => [say('fine words')] },
      { id: 'bad', blocks: () => [say('x'), say('refused words')] },
    );
    home.slack.answer = async ({ args }) => {
      const blocks: { text?: { text?: string } }[] = JSON.parse(args.view ?? '{"blocks":[]}').blocks;
      const index = blocks.findIndex((block) => block.text?.text === 'refused words');
      if (index < 0) return { body: { ok: true } };
      const messages = [`[ERROR] invalid [json-pointer:/view/blocks/${index}/text]`];
      return { body: { ok: false, error: 'invalid_blocks', response_metadata: { messages } } };
    };
    assert.equal((await home.publishHome(opened)).reason, 'sent');
    assert.match(home.last(), /fine words.*cannot be shown right now.*Team 1/);
    assert.equal(home.shown('U1').length, 2);
    assert.match(home.logged.join(), /"section":"bad"/);
  });

  it('if Slack refuses the view without saying why, a notice replaces the app’s own Home section', async (t) => {
    const home = await homeWith(t, { id: 'bad', blocks: () => [say('refused words')] });
    await home.person('T1', 'U1', true, home.clock.now);
    home.slack.answer = async ({ args }) =>
      args.view?.includes('refused words')
        ? { body: { ok: false, error: 'invalid_arguments' } }
        : { body: { ok: true } };
    assert.equal((await home.publishHome(opened)).reason, 'sent');
    assert.match(home.last(), /cannot be shown right now.*Team 1/);
  });

  it('if Slack refuses a Home because of its viewer, Foyer does not resend it without the app’s own sections', async (t) => {
    const home = await homeWith(t, { id: 'good', blocks: () => [say('fine words')] });
    home.slack.answer = async () => ({ body: { ok: false, error: 'user_not_found' } });
    assert.equal((await home.publishHome(opened)).reason, 'refused');
    assert.equal(home.shown('U1').length, 1);
  });
});

describe('Foyer asks Home sections for their blocks', () => {
  const viewer = { installationId: 'ins_1', teamId: 'T1', enterpriseId: null, userId: 'U1' };
  const person = { ...viewer, isInstaller: true, isAdmin: false, locale: null };
  const errors: { section?: string }[] = [];
  const log = createLogger(
    { logLevel: 'error', secrets: [] },
    { pretty: false, destination: new PassThrough().on('data', (line) => errors.push(JSON.parse(line))) },
  );

  it('Foyer asks all Home sections for their blocks at the same time, each with the same time limit', async () => {
    const never: BoundHomeSection = { id: 'never', blocks: () => new Promise<never>(() => {}) };
    const startedAt = performance.now();
    const answers = await askHomeSections(
      [never, { ...never, id: 'nor this' }, { id: 'quick', blocks: () => [say('here')] }],
      person,
      log,
      100,
    );
    assert.ok(performance.now() - startedAt < 190, 'asking one after the other takes 200 ms');
    assert.deepEqual(
      answers.map(({ id, blocks }) => [id, blocks?.length]),
      [
        ['never', undefined],
        ['nor this', undefined],
        ['quick', 1],
      ],
    );
    assert.deepEqual(errors.map(({ section }) => section).toSorted(), ['never', 'nor this']);
  });

  it('a Home section gets the current `foyer`, even if `foyer` was undefined when bindHomeSections was called', async () => {
    let foyer: { name: string } | undefined;
    const [bound] = bindHomeSections<{ name: string } | undefined>(
      [{ id: 'one', blocks: (_viewer, given) => [say(given?.name ?? 'none')] }],
      () => foyer,
    );
    foyer = { name: 'the Foyer' };
    assert.deepEqual(await bound?.blocks(person), [say('the Foyer')]);
  });
});

describe('composing a Home', () => {
  const record = [say('record 1'), say('record 2')];
  const many = (count: number, text = 'x') => Array.from({ length: count }, () => say(text));

  it('a Home over Slack’s limit of 100 blocks keeps the whole install record, and marks where a section is cut', () => {
    const { blocks, owners } = composeHome(
      [
        { id: 'long', blocks: many(300) },
        { id: 'next', blocks: many(5) },
      ],
      record,
      notices,
    );
    assert.equal(blocks.length, 100);
    assert.deepEqual(blocks.slice(-2), record);
    assert.equal(JSON.stringify(blocks).split('"Cut."').length, 2);
    assert.deepEqual([owners[0], owners.at(-1), owners.length], ['long', 'next', 98]);
  });

  it('a Home gives each section its fair share of the space, however long the section above it is', () => {
    const shownOf = (counts: number[], text?: string) => {
      const sections = counts.map((count, index) => ({ id: String(index), blocks: many(count, text) }));
      const { blocks, owners } = composeHome(sections, record, notices);
      assert.ok(blocks.length <= 100);
      const isCut = (index: number) =>
        JSON.stringify(blocks[owners.lastIndexOf(String(index)) - 1]).includes('Cut.');
      return counts.map((_, index) => {
        const own = owners.filter((owner) => owner === String(index)).length;
        return isCut(index) ? own - 2 : own - 1;
      });
    };
    // The record uses two of the 100 blocks. Each section uses one for its divider. A section that is cut uses one more
    // for the line “Cut.”
    assert.deepEqual(shownOf([200, 5]), [90, 5]);
    assert.deepEqual(shownOf([5, 200]), [5, 90]);
    assert.deepEqual(shownOf([200, 200]), [47, 47]);
    assert.deepEqual(shownOf([200, 5, 200, 1]), [64, 5, 22, 1]);
    // Each block uses 6 kB, and Slack limits a Home to 250 kB.
    assert.deepEqual(shownOf([90, 90, 1], 'é'.repeat(3000)), [26, 13, 1]);
    assert.deepEqual(shownOf(Array(49).fill(100)), Array(49).fill(0));
  });

  it('a Home over Slack’s limit of 250 kB keeps the whole install record, and marks where a section is cut', () => {
    const { blocks } = composeHome([{ id: 'big', blocks: many(95, 'é'.repeat(3000)) }], record, notices);
    const bytes = Buffer.byteLength(JSON.stringify({ type: 'home', callback_id: 'foyer.home', blocks }));
    assert.ok(bytes < 250_000 && bytes > 230_000, String(bytes));
    assert.deepEqual(blocks.slice(-2), record);
    assert.match(JSON.stringify(blocks), /Cut\./);
  });

  it('a Home cuts nothing if everything fits exactly, and leaves out a section with nothing to show', () => {
    const { blocks } = composeHome(
      [
        { id: 'none', blocks: [] },
        { id: 'full', blocks: many(97) },
      ],
      record,
      notices,
    );
    assert.equal(blocks.length, 100);
    assert.doesNotMatch(JSON.stringify(blocks), /Cut\./);
  });
});
