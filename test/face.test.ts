import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** Rebrands a copy of this repository by editing only `manifest.json`, `src/brand.ts` and `src/texts.ts`. */

const root = join(import.meta.dirname, '..');

const files: Record<string, string> = {
  'logo.svg': '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><title>Standup</title></svg>',
  'src/brand.ts': `
import type { Brand } from 'slack-foyer';
export const brand: Partial<Brand> = { publisher: 'Acme Rockets Inc.', logo: './logo.svg' };`,
  'src/texts.ts': `
import type { PartialTexts } from 'slack-foyer';
export const texts: PartialTexts = {
  defaultLanguage: 'fr',
  en: {
    'welcome.greeting': 'Good morning {person}! *{app}* is ready.',
    'failure.state_missing.do': 'Press the button, and Slack asks once more.',
  },
};`,
  'check.ts': `
import assert from 'node:assert/strict';
import { startTestFoyer } from 'slack-foyer/testing';
import { definition } from './src/foyer.ts';
await using app = await startTestFoyer(definition);
const { sandbox, url } = app;
const page = async (path: string, language: string) =>
  (await fetch(url + path, { headers: { 'accept-language': language } })).text();
const landing = await page('/', 'en');
for (const part of ['Add Standup to Slack', 'Acme Rockets Inc.', '#aa3366', '/brand/logo']) assert.ok(landing.includes(part), part);
assert.equal((await fetch(url + '/brand/logo')).headers.get('content-type'), 'image/svg+xml');
assert.match(await page('/', 'nl'), /<html lang="fr"/);
assert.match(await page('/slack/oauth_redirect?code=x', 'en'), /Press the button, and Slack asks once more\\./);
const run = await app.install({ teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme').id });
assert.equal(run.status, 'succeeded');
const sent = JSON.stringify(sandbox.calls('chat.postMessage'));
assert.match(sent, /Good morning [^!]+! \\*Standup\\* is ready\\./);
console.log('all there');`,
};

test('a clone gets its own name, color, logo, welcome, failure text and default language from three files', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-face-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['src', 'package.json', '.env.example'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  for (const name of ['packages', 'node_modules']) symlinkSync(join(root, name), join(folder, name));
  const manifest = JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8'));
  Object.assign(manifest.display_information, { name: 'Standup', background_color: '#aa3366' });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', 'check.ts'], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    timeout: 100_000,
  });
  assert.match(stdout, /all there/);
});
