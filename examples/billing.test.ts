import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Foyer } from 'slack-foyer';
import { eventually, startTestFoyer } from 'slack-foyer/testing';
import { type BillingTables, billing } from './billing/billing.ts';

const day = 24 * 60 * 60 * 1000;

it('the billing example starts a trial, asks for the plan, charges once a day, and stops charging after an uninstall', async () => {
  await using app = await startTestFoyer(billing as Parameters<typeof startTestFoyer>[0]);
  const { sandbox, visitor } = app;
  const foyer = app.foyer as unknown as Foyer<BillingTables>;
  const place = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
  const subscriptions = () =>
    foyer.database.queries.selectFrom('subscriptions').select(['plan', 'status', 'life']).execute();
  const charges = () => foyer.database.queries.selectFrom('charges').select(['day', 'plan']).execute();

  const start = await visitor.get(`${app.url}/slack/install`);
  const authorizeUrl = start.headers.get('location') ?? '';
  await visitor.get(await sandbox.consent({ authorizeUrl, ...place }));
  await eventually(async () => (await subscriptions())[0]?.plan === 'trial');

  const form = () =>
    sandbox.messages(place).find(({ blocks }) => JSON.stringify(blocks).includes('foyer.answer.input'));
  await eventually(async () => (await foyer.find(place))?.run?.status === 'waiting' && form() !== undefined);
  const blockId = String(form()?.blocks?.find(({ type }) => type === 'input')?.block_id);
  const choice = { type: 'static_select', selected_option: { value: 'team' } };
  const entered = { [blockId]: { 'foyer.answer.input': choice } };
  await sandbox.press({ ...place, actionId: 'foyer.answer', where: 'message', entered });
  await eventually(async () => (await foyer.find(place))?.run?.status === 'succeeded');
  assert.deepEqual(await subscriptions(), [{ plan: 'team', status: 'active', life: 1 }]);
  assert.equal(
    sandbox.messages(place).filter(({ text }) => text === 'Your plan from now on: team').length,
    1,
  );

  for (let days = 1; days <= 2; days += 1) {
    app.clock.advance(day);
    await eventually(async () => (await charges()).filter(({ plan }) => plan === 'team').length === days);
  }
  assert.equal(new Set((await charges()).map((charge) => charge.day)).size, (await charges()).length);

  assert.equal(await foyer.uninstall({ teamId: place.teamId }, 'the account was closed'), true);
  await eventually(async () => (await subscriptions())[0]?.status === 'canceled');
  const before = (await charges()).length;
  app.clock.advance(day);
  await eventually(async () => app.logged().filter((line) => line.includes('"msg":"billed"')).length >= 4);
  assert.equal((await charges()).length, before);
});
