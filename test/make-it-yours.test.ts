import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

/**
 * Builds a product on a copy of this repository by editing only `src/` and `manifest.json`: a scope, an event, a slash
 * command, a step, a table, a Home section, a page, a color, a text and an uninstall step. Nothing in `packages/`
 * changes, the copy type-checks, and `check.ts` installs the product, looks at it and uninstalls it.
 */

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

const files: Record<string, string> = {
  'src/tables.ts': `
export interface Tables {
  greetings: { installation_id: string; count: number };
  standups: { id: string; installation_id: string };
}`,
  'src/migrations/0002-standups.ts': `
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
export const m0002Standups: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.createTable('standups').addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('installation_id', 'text', (c) => c.notNull()).execute();
  },
};`,
  'src/steps/first-standup.ts': `
import type { Transaction } from 'kysely';
import { type Step, steps } from 'slack-foyer';
import type { Tables } from '../tables.ts';
export const firstStandup: Step<{ team: string | null }> = {
  name: 'first-standup',
  title: { todo: 'Plan the first stand-up', doing: 'Planning the first stand-up' },
  async run({ installationId, output, write }) {
    write((tx: Transaction<Tables>) => tx.insertInto('standups')
      .values({ id: 'first-' + installationId, installation_id: installationId })
      .onConflict((conflict) => conflict.doNothing()).execute());
    return { team: output(steps.registerTeam)?.teamId ?? null };
  },
};
export const sayGoodbye: Step<{ left: true }> = {
  name: 'say-goodbye',
  title: { todo: 'Close the account', doing: 'Closing the account' },
  async run({ installationId, write }) {
    write((tx: Transaction<Tables>) => tx.insertInto('standups')
      .values({ id: 'left-' + installationId, installation_id: installationId }).execute());
    return { left: true };
  },
};`,
  'src/home.ts': `
import type { Foyer, HomeSection } from 'slack-foyer';
import type { Tables } from './tables.ts';
export const sections: HomeSection<Foyer<Tables>>[] = [{
  id: 'standups',
  async blocks(viewer, foyer) {
    const rows = await foyer.database.queries.selectFrom('standups').select('id')
      .where('installation_id', '=', viewer.installationId).execute();
    return [{ type: 'section', text: { type: 'mrkdwn', text: 'Stand-ups: ' + rows.length } }];
  },
}];`,
  'src/listeners.ts': `
import type { App } from '@slack/bolt';
export function addListeners(app: App): void {
  app.command('/standup', async ({ ack }) => ack('Good morning!'));
  app.event('reaction_added', async () => {});
}`,
  'src/texts.ts': `
import type { PartialTexts } from 'slack-foyer';
export const texts: PartialTexts = { en: { 'landing.title': 'Stand up with {app}' } };`,
  'src/page.ts': `
import type { RequestListener } from 'node:http';
export const page: RequestListener = (req, res) => {
  res.statusCode = req.url === '/pricing' ? 200 : 404;
  res.end('Free for small teams');
};`,
  'src/main.ts': `
import { serve } from 'slack-foyer';
import { definition } from './foyer.ts';
import { page } from './page.ts';
await serve(definition, { otherwise: page });`,
  'src/foyer.ts': `
import { builtInSteps, defineFoyer } from 'slack-foyer';
import { brand } from './brand.ts';
import { sections } from './home.ts';
import { addListeners } from './listeners.ts';
import { m0001Greetings } from './migrations/0001-greetings.ts';
import { m0002Standups } from './migrations/0002-standups.ts';
import { firstStandup, sayGoodbye } from './steps/first-standup.ts';
import { startCounting } from './steps/start-counting.ts';
import type { Tables } from './tables.ts';
import { texts } from './texts.ts';
export const definition = defineFoyer<Tables>({
  manifest: new URL('../manifest.json', import.meta.url),
  install: [...builtInSteps(), startCounting, firstStandup],
  uninstall: [sayGoodbye],
  listeners: addListeners,
  home: { sections },
  texts,
  brand,
  migrations: { '0001-greetings': m0001Greetings, '0002-standups': m0002Standups },
});`,
  'check.ts': `
import assert from 'node:assert/strict';
import { eventually, startTestFoyer } from 'slack-foyer/testing';
import { definition } from './src/foyer.ts';
await using app = await startTestFoyer(definition);
const { sandbox, visitor, url, foyer } = app;
const whom = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id };
const landing = await (await visitor.get(url)).text();
assert.match(landing, /Stand up with Standup/);
assert.match(landing, /#aa3366/i);
assert.match(landing, /reactions:read/);
const run = await app.install(whom);
assert.equal(run.status, 'succeeded');
assert.equal(run.steps.find(({ name }) => name === 'first-standup')?.status, 'succeeded');
await sandbox.openHome(whom);
await sandbox.settled();
await eventually(async () => JSON.stringify(sandbox.homeView(whom)).includes('Stand-ups: 1'));
assert.equal(await foyer.uninstall({ teamId: whom.teamId }, 'the test') !== undefined, true);
await eventually(async () => (await foyer.database.queries.selectFrom('standups' as never).selectAll().execute()).length === 2);
console.log('all there');`,
};

test('a clone becomes a different product with edits only in src/ and manifest.json', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-mine-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['src', 'package.json', '.env.example']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  for (const name of ['packages', 'node_modules']) symlinkSync(join(root, name), join(folder, name));
  const manifest = JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8'));
  manifest.display_information.name = 'Standup';
  manifest.display_information.background_color = '#aa3366';
  manifest.oauth_config.scopes.bot.push('reactions:read', 'commands');
  manifest.settings.event_subscriptions.bot_events.push('reaction_added');
  manifest.features.slash_commands = [
    { command: '/standup', description: 'Stand up', url: 'https://foyer.example.com/slack/events' },
  ];
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const config = { extends: join(root, 'tsconfig.json'), include: ['src', 'check.ts'], exclude: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  await run(join(root, 'node_modules/.bin/tsc'), [], { cwd: folder }).catch((error) =>
    assert.fail(`it does not type-check:\n${error.stdout}`),
  );
  const { stdout } = await run(process.execPath, ['--conditions=source', 'check.ts'], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    timeout: 60_000,
  });
  assert.match(stdout, /all there/);
});
