import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { installedAt } from './home-content.ts';
import { openHome, type SlackAnswer } from './open-home.ts';

let home: Awaited<ReturnType<typeof openHome>>;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.close());

const installer = { installationId: 'ins_1', userId: 'U1' };
const minuteMs = 60_000;
const ok: SlackAnswer = { body: { ok: true } };
const refusal = (error: string): SlackAnswer => ({ body: { ok: false, error } });

/** Delays Slack's answer to each `views.publish`. Each call of `letGo` sends the oldest delayed answer. */
function holdPublishes() {
  const held: (() => void)[] = [];
  const arrivals: (() => void)[] = [];
  home.slack.answer = (call) =>
    call.method === 'views.publish'
      ? new Promise((done) => {
          held.push(() => done(ok));
          arrivals.shift()?.();
        })
      : Promise.resolve(refusal('user_not_found'));
  return {
    arrival: () => new Promise<void>((done) => arrivals.push(done)),
    letGo: () => held.shift()?.(),
  };
}

describe('publishing App Home', () => {
  it('publishing App Home calls views.publish with the bot’s token, for the person who opened App Home', async () => {
    assert.deepEqual(await home.publishHome({ ...installer, opened: true }), {
      published: true,
      reason: 'sent',
    });
    const [call] = home.slack.of('views.publish');
    assert.equal(call?.token, 'token-of-ins_1');
    assert.equal(call?.args.user_id, 'U1');
    assert.equal(call?.args.team_id, 'T1');
    assert.match(call?.args.view ?? '', /Team 1/);
  });

  it('publishing App Home skips a view that Slack already shows, and sends a changed view', async () => {
    await home.publishHome(installer);
    assert.deepEqual(await home.publishHome(installer), { published: false, reason: 'unchanged' });
    assert.equal(home.shown('U1').length, 1);
    await home.change('ins_1', { team_name: 'Renamed' });
    assert.deepEqual(await home.publishHome(installer), { published: true, reason: 'sent' });
    assert.match(home.shown('U1')[1]?.args.view ?? '', /Renamed/);
  });

  it('after a reinstall, publishing App Home sends the same view again, because Slack has forgotten the view', async () => {
    await home.publishHome(installer);
    await home.change('ins_1', { installed_at: installedAt + 1 });
    assert.equal((await home.publishHome(installer)).published, true);
  });

  it('publishing App Home sends nothing for an unknown or uninstalled installation', async () => {
    const nothing = { published: false, reason: 'not_installed' };
    assert.deepEqual(await home.publishHome({ installationId: 'ins_9', userId: 'U1' }), nothing);
    await home.change('ins_1', { status: 'uninstalled', uninstalled_at: home.clock.now });
    assert.deepEqual(await home.publishHome(installer), nothing);
    assert.deepEqual(await home.republishHome('ins_1'), []);
    assert.equal(home.slack.calls.length, 0);
  });

  it('publishing App Home sends nothing if the bot was revoked, and reports no failure', async () => {
    home.botless.add('ins_1');
    assert.deepEqual(await home.republishHome('ins_1'), [{ published: false, reason: 'not_installed' }]);
    assert.equal(home.slack.calls.length, 0);
  });

  it('if two machines publish App Home at the same time, Slack ends up with the newest view', async () => {
    const publishes = holdPublishes();
    let arrived = publishes.arrival();
    const older = home.publishHome(installer);
    await arrived;
    await home.change('ins_1', { team_name: 'Renamed' });
    arrived = publishes.arrival();
    const newer = home.publishElsewhere(installer);
    await arrived;
    // Slack answers the older publish while the newer one is in flight, so Slack may have applied either one last.
    arrived = publishes.arrival();
    publishes.letGo();
    await arrived;
    publishes.letGo();
    await newer;
    publishes.letGo();
    await older;
    const [first, second, third] = home.shown('U1').map((call) => call.args.view ?? '');
    assert.match(first ?? '', /Team 1/);
    assert.match(second ?? '', /Renamed/);
    assert.match(third ?? '', /Renamed/, 'sent again, since the older one may have replaced it');
    assert.equal((await home.publishHome(installer)).reason, 'unchanged');
  });

  it('if several requests to publish App Home arrive during a publish, Foyer then publishes only the newest view, once', async () => {
    const publishes = holdPublishes();
    const arrived = publishes.arrival();
    const first = home.publishHome(installer);
    await arrived;
    const later: Promise<unknown>[] = [];
    for (let change = 1; change <= 5; change += 1) {
      await home.change('ins_1', { team_name: `Name ${change}` });
      later.push(home.publishHome(installer));
    }
    assert.equal(home.shown('U1').length, 1, 'no two publishes run at once');
    const again = publishes.arrival();
    publishes.letGo();
    await first;
    await again;
    publishes.letGo();
    await Promise.all(later);
    assert.equal(home.shown('U1').length, 2, 'the waiting publishes became one');
    assert.match(home.shown('U1')[1]?.args.view ?? '', /Name 5/);
    assert.equal((await home.publishHome(installer)).reason, 'unchanged');
  });

  it('publishing App Home does not replace a newer view that another machine has sent in the meantime', async () => {
    const person = { installationId: 'ins_1', userId: 'U5' };
    const asking: { resolve(answer: SlackAnswer): void }[] = [];
    let asked = () => {};
    // Foyer looks up the viewer after it has read the record, so the test can pause the publish there.
    home.slack.answer = ({ method }) => {
      if (method !== 'users.info') return Promise.resolve(ok);
      const answer = Promise.withResolvers<SlackAnswer>();
      asking.push(answer);
      asked();
      return answer.promise;
    };
    const arrival = () => new Promise<void>((done) => (asked = done));
    let arrived = arrival();
    const older = home.publishHome(person);
    await arrived;
    await home.change('ins_1', { team_name: 'Renamed' });
    arrived = arrival();
    const newer = home.publishElsewhere(person);
    await arrived;
    asking.pop()?.resolve(refusal('user_not_found'));
    assert.equal((await newer).reason, 'sent');
    arrived = arrival();
    asking.pop()?.resolve(refusal('user_not_found'));
    await arrived;
    asking.pop()?.resolve(refusal('user_not_found'));
    assert.equal((await older).reason, 'unchanged');
    assert.equal(home.shown('U5').length, 1);
    assert.match(home.shown('U5')[0]?.args.view ?? '', /Renamed/);
  });

  it('publishing App Home works again after a failure of Foyer’s database', async () => {
    const queries = home.database.queries;
    await queries.deleteFrom('steps').execute();
    await queries.schema.alterTable('history').renameTo('mislaid').execute();
    await assert.rejects(home.publishHome(installer));
    await queries.schema.alterTable('mislaid').renameTo('history').execute();
    assert.equal((await home.publishHome(installer)).published, true);
  });

  it('a published Home mentions older history entries only if there are more than ten entries', async () => {
    const line = { installation_id: 'ins_1', at: 1, kind: 'installed' as const, user_id: 'U1', detail: null };
    const ids = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => ({ ...line, id: `his_${from + n}` }));
    const { queries } = home.database;
    await queries.deleteFrom('history').execute();
    await queries.insertInto('history').values(ids(10, 10)).execute();
    await home.publishHome(installer);
    await queries.insertInto('history').values(ids(30, 1)).execute();
    await home.publishHome(installer);
    const [ten, eleven] = home.slack.of('views.publish').map(({ args }) => args.view ?? '');
    assert.doesNotMatch(ten ?? '', /Older entries/);
    assert.match(eleven ?? '', /Older entries are not listed here/);
  });

  it('a published Home never contains the data of another team', async () => {
    await home.person('T1', 'U1', true, home.clock.now, 'one@x.test');
    await home.person('T2', 'U2', true, home.clock.now, 'two@x.test');
    await home.publishHome(installer);
    await home.publishHome({ installationId: 'ins_2', userId: 'U2' });
    const [one, two] = home.slack.of('views.publish');
    assert.deepEqual([one?.token, two?.token], ['token-of-ins_1', 'token-of-ins_2']);
    assert.match(one?.args.view ?? '', /one@x\.test/);
    assert.doesNotMatch(one?.args.view ?? '', /\b(?:Team 2|two@x|U2|T2)\b/);
    assert.doesNotMatch(two?.args.view ?? '', /Team 1|one@x|U1\b|T1/);
  });
});

describe('another person’s Home', () => {
  it('another person’s Home does not show the installer’s profile, even if that person is an admin', async () => {
    await home.person('T1', 'U1', true, home.clock.now, 'ada@x.test');
    await home.person('T1', 'U5', true, home.clock.now, 'eve@x.test');
    await home.publishHome({ installationId: 'ins_1', userId: 'U5', opened: true });
    const view = home.shown('U5')[0]?.args.view ?? '';
    assert.match(view, /eve@x\.test/);
    assert.doesNotMatch(view, /ada@x\.test/);
  });
});

describe('when Slack refuses to publish a view', () => {
  it('a publish that Slack refuses returns the reason, and does not throw', async () => {
    const reasons = [
      ['not_enabled', 'not_enabled'],
      ['token_revoked', 'token_dead'],
      ['account_inactive', 'token_dead'],
      ['internal_error', 'unreachable'],
      ['user_not_found', 'refused'],
    ] as const;
    for (const [error, reason] of reasons) {
      home.slack.answer = async () => refusal(error);
      const result = await home.publishHome(installer);
      assert.equal(result.published, false);
      assert.equal(result.reason, reason);
      assert.ok('failure' in result && result.failure.code === error);
    }
  });

  it('a publish with a dead token passes exactly that token to `reportDeadToken`, so that a newer token is not blamed', async () => {
    home.slack.answer = async () => refusal('token_revoked');
    await home.publishHome(installer);
    assert.deepEqual(home.reported, [{ installationId: 'ins_1', token: 'token-of-ins_1' }]);
  });

  it('a publish that Slack rate-limits is retried after a short Retry-After', async () => {
    const answers: SlackAnswer[] = [{ status: 429, retryAfter: 2 }, ok];
    home.slack.answer = async () => answers.shift() ?? refusal('fatal_error');
    assert.equal((await home.publishHome(installer)).published, true);
    assert.deepEqual(home.waits, [2000]);
  });

  it('a publish that Slack rate-limits is retried at most once, and not at all if the Retry-After is long', async () => {
    home.slack.answer = async () => ({ status: 429, retryAfter: 60 });
    assert.equal((await home.publishHome(installer)).reason, 'rate_limited');
    home.slack.answer = async () => ({ status: 429, retryAfter: 1 });
    assert.equal((await home.publishHome(installer)).reason, 'rate_limited');
    assert.deepEqual(home.waits, [1000]);
    assert.equal(home.slack.calls.length, 3);
  });

  it('after Slack refuses a publish, Foyer no longer assumes that Slack shows the previous view', async () => {
    await home.publishHome(installer);
    await home.change('ins_1', { team_name: 'Renamed' });
    home.slack.answer = async () => refusal('internal_error');
    await home.publishHome(installer);
    home.slack.answer = async () => ok;
    await home.change('ins_1', { team_name: 'Team 1' });
    assert.equal((await home.publishHome(installer)).published, true);
  });

  it('a publish that Slack refuses because of a picture is retried without the picture', async () => {
    await home.person('T1', 'U1', true, home.clock.now);
    home.slack.answer = async ({ args }) =>
      args.view?.includes('image_url') ? refusal('invalid_arguments') : ok;
    assert.equal((await home.publishHome(installer)).published, true);
    assert.match(home.shown('U1')[1]?.args.view ?? '', /U1@x\.test/);
    assert.equal((await home.publishHome(installer)).reason, 'unchanged');
  });
});

describe('republishing App Home', () => {
  it('republishing App Home reaches the installer and the people who opened Home most recently, at most twenty people in all', async () => {
    home.slack.answer = async ({ method }) => (method === 'views.publish' ? ok : refusal('user_not_found'));
    for (let index = 10; index < 40; index += 1) {
      await home.publishHome({ installationId: 'ins_1', userId: `U1${index}`, opened: true });
      home.clock.now += minuteMs;
    }
    await home.change('ins_1', { team_name: 'Renamed' });
    home.slack.calls.length = 0;
    await home.republishHome('ins_1');
    const reached = home.slack.of('views.publish').map((call) => call.args.user_id ?? '');
    const newest = Array.from({ length: 19 }, (_, index) => `U1${21 + index}`);
    assert.deepEqual(reached.toSorted(), ['U1', ...newest]);
  });

  it('republishing App Home skips people who opened Home well over an hour ago, and people who never opened it', async () => {
    await home.publishHome({ installationId: 'ins_1', userId: 'U5', opened: true });
    home.clock.now += 70 * minuteMs;
    await home.publishHome({ installationId: 'ins_1', userId: 'U6', opened: true });
    await home.publishHome({ installationId: 'ins_1', userId: 'U7' });
    await home.change('ins_1', { team_name: 'Renamed' });
    await home.republishHome('ins_1');
    assert.deepEqual([home.shown('U5').length, home.shown('U6').length, home.shown('U7').length], [1, 2, 1]);
  });

  it('republishing App Home shows that a step has finished since the last publish', async () => {
    await home.publishHome({ ...installer, opened: true });
    await home.database.queries
      .updateTable('steps')
      .set({ status: 'succeeded', attempts: 1 })
      .where('run_id', '=', home.runIds[0])
      .where('name', '=', 'register-team')
      .execute();
    await home.republishHome('ins_1');
    assert.match(home.shown('U1')[0]?.args.view ?? '', /○ {2}Register the workspace/);
    assert.match(home.shown('U1')[1]?.args.view ?? '', /✓ {2}Register the workspace/);
    assert.equal(home.shown('U2').length, 0);
  });
});
