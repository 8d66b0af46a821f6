import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../../../..');

/**
 * Runs Foyer's command and returns what it prints. A `program` in src/ runs as `npm run foyer` would run it. Any other
 * program runs under its own file name.
 */
async function foyer(args: readonly string[], program = 'src/cli.ts'): Promise<string> {
  const env = { PATH: process.env.PATH, ...(program.startsWith('src/') && { npm_lifecycle_event: 'foyer' }) };
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', program, ...args], {
    cwd: root,
    env,
  });
  return stdout;
}

for (const [what, words, offered, absent] of [
  ['a command', ['li'], ['list\t'], ['show']],
  ['a subcommand', ['keys', 'ro'], ['rotate\tre-encrypt every stored token'], ['forget']],
  ['an option', ['list', '--st'], ['--status\t'], ['--json']],
  ['the values of an option', ['list', '--status', 'b'], ['broken'], ['active']],
  ['an argument', ['completion', 'z'], ['zsh'], ['bash']],
] as const) {
  test(`Tab completes ${what}`, async () => {
    const printed = await foyer(['complete', '--', ...words]);
    for (const text of offered) assert.ok(printed.includes(text), printed);
    for (const text of absent) assert.ok(!printed.includes(text), printed);
    for (const line of printed.split('\n')) assert.ok(line.length < 110, 'one line beside each');
  });
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const isThere = spawnSync(shell, ['-c', 'true']).status === 0;
  test(`the completion script for ${shell} is valid`, {
    skip: !isThere && `there is no ${shell} here`,
  }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'foyer-completion-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const script = await foyer(['completion', shell]);
    writeFileSync(join(folder, 'script'), script);
    const { status, stderr } = spawnSync(shell, ['-n', join(folder, 'script')], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    assert.ok(
      script.startsWith(shell === 'fish' ? 'function foyer; npm' : 'foyer() { npm'),
      script.slice(0, 80),
    );
    assert.ok(script.includes(`npm --prefix '${root}' run --silent foyer --`));
  });
}

test('outside a clone, the completion script completes the command slack-foyer', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'foyer-completion-'));
  t.after(() => rmSync(folder, { recursive: true }));
  symlinkSync(join(root, 'packages/foyer/src/bin.ts'), join(folder, 'slack-foyer'));
  const script = await foyer(['completion', 'bash'], join(folder, 'slack-foyer'));
  assert.match(script, /complete -F \S+ slack-foyer/);
  assert.doesNotMatch(script, /npm --prefix/);
});
