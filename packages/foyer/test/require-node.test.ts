import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../../..');
const run = promisify(execFile);

/** Runs a program on this Node, but with another version in `process.version` and `process.versions`. */
async function runOn(version: string, ...args: string[]) {
  const fake = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });
    Object.defineProperty(process, 'version', { value: 'v${version}' });`;
  const before = ['--conditions=source', '--import', `data:text/javascript,${encodeURIComponent(fake)}`];
  return run(process.execPath, [...before, ...args], { cwd: root }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error) => ({ code: Number(error.code), stdout: String(error.stdout), stderr: String(error.stderr) }),
  );
}

describe('the Node version check', () => {
  for (const version of ['18.20.8', '20.20.2', '22.17.1']) {
    it(`Foyer does not run on Node ${version}, and says in one sentence which version it needs`, async () => {
      for (const program of ['packages/foyer/require-node.js', 'packages/foyer/src/bin.ts']) {
        const { code, stdout, stderr } = await runOn(version, program, 'list');
        const sentence = `Foyer needs Node 22.18 or newer, but this is v${version}. Install a newer version from nodejs.org.\n`;
        assert.deepEqual({ code, stdout, stderr }, { code: 1, stdout: '', stderr: sentence }, program);
      }
    });
  }

  it('createFoyer reports an old Node version before the other problems, and does not mention Node if its version is new enough', async () => {
    const program = "await (await import('slack-foyer')).createFoyer({ manifest: './no-manifest.json' })";
    const problemsOn = async (version: string): Promise<string> =>
      (await runOn(version, '--input-type=module', '--eval', program)).stderr;
    for (const version of ['20.20.2', '22.17.1']) {
      const found = `Foyer cannot start: \\d problems to fix:\\n  Node: is ${version}, but Foyer needs 22.18 or newer\\n`;
      assert.match(await problemsOn(version), new RegExp(found));
    }
    const problems = await problemsOn('22.18.0');
    assert.match(problems, /manifest\.json: cannot be read/);
    assert.doesNotMatch(problems, /Node:/);
  });

  it('the Node version check passes silently on a Node that is new enough', async () => {
    for (const version of ['22.18.0', '24.0.0', '30.1.0']) {
      const { code, stderr } = await runOn(version, 'packages/foyer/require-node.js');
      assert.deepEqual([code, stderr], [0, ''], version);
    }
  });

  it('the Node version check is in the package, and runs first under systemd and in the npm scripts start, foyer, demo and sandbox', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    for (const name of ['start', 'foyer', 'demo', 'sandbox'])
      assert.equal(scripts[`pre${name}`], 'node packages/foyer/require-node.js', name);
    const { files, engines } = JSON.parse(readFileSync(join(root, 'packages/foyer/package.json'), 'utf8'));
    assert.ok(files.includes('require-node.js'));
    assert.equal(engines.node, '>=22.18', 'the sentence names what the package asks for');
    const unit = readFileSync(join(root, 'deploy/foyer.service'), 'utf8');
    assert.match(
      unit,
      /^ExecStartPre=\/usr\/bin\/node \/opt\/foyer\/current\/packages\/foyer\/require-node\.js$/m,
    );
  });
});
