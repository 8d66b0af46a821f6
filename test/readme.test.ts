import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '..');
/** The pages that these tests check. */
const pages = [
  'README.md',
  'packages/foyer/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The `ts` blocks of a page, in order. */
const blocksOf = (text: string): string[] =>
  [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

/** The anchors that GitHub gives to a page's headings. */
const headingsOf = (text: string): string[] =>
  [...text.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('README is shorter than 200 lines', () => {
  assert.ok(read('README.md').split('\n').length < 200);
});

test('each npm script that the READMEs and docs/ mention exists in package.json', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const unknown = pages.flatMap((page) =>
    [...read(page).matchAll(/npm run (?:-s )?([a-z][a-z:]*)/g)].filter(
      ([, name = '']) => !Object.hasOwn(scripts, name),
    ),
  );
  assert.deepEqual(
    unknown.map(([command]) => command),
    [],
  );
});

test('each relative link in the READMEs and docs/ leads to a file and a section that exist', () => {
  const broken: string[] = [];
  for (const page of pages) {
    for (const [, link = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = '', section] = link.split('#');
      const target = path === '' ? join(root, page) : resolve(root, dirname(page), path);
      const found =
        existsSync(target) && (!section || headingsOf(readFileSync(target, 'utf8')).includes(section));
      if (!found) broken.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('the code in both READMEs, docs/pipelines.md, docs/signin.md and docs/texts.md compiles in a clone', async (t) => {
  // The folder is inside the repository, so that the imports of packages resolve.
  const folder = mkdtempSync(join(root, 'node_modules/.readme-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true });
  mkdirSync(join(folder, 'test'));
  const guides = ['docs/pipelines.md', 'docs/signin.md', 'docs/texts.md'];
  const blocks = ['README.md', ...guides, 'packages/foyer/README.md'].flatMap((page) => blocksOf(read(page)));
  assert.ok(blocks.length >= 5, 'found fewer blocks of code than expected');
  for (const [index, code] of blocks.entries()) {
    // The first line of a block may name the file that the block replaces.
    const [, path = `test/block-${index}.ts`] = /^\/\/ (src\/\S+\.ts)\n/.exec(code) ?? [];
    writeFileSync(join(folder, path), code);
  }
  const config = { extends: '../../tsconfig.json', include: ['src', 'test'], exclude: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
    (error: { stdout: string }) => error,
  );
  assert.equal(stdout, '');
});
