import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { makeFolder } from '../../src/database/make-folder.ts';

const run = promisify(execFile);
const source = new URL('../../src/database/make-folder.ts', import.meta.url).href;

describe('makeFolder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'foyer-folder-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makeFolder creates the folder and its parents with access for the owner only, and accepts a folder that exists', () => {
    makeFolder(join(folder, 'a', 'b'));
    makeFolder(join(folder, 'a', 'b'));
    for (const name of ['a', 'a/b']) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o700);
  });

  it('makeFolder succeeds in each of several processes that create the same folder at the same time', async () => {
    const code = `import(${JSON.stringify(source)})
      .then(({ makeFolder }) => makeFolder(${JSON.stringify(join(folder, 'a', 'b', 'c'))}))`;
    await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, ['-e', code])));
    assert.ok(existsSync(join(folder, 'a', 'b', 'c')));
  });

  it('makeFolder refuses a path below a file or below a broken symbolic link', () => {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    assert.throws(() => makeFolder(join(folder, 'file', 'a')), { code: 'ENOTDIR' });
    assert.throws(() => makeFolder(join(folder, 'link', 'a')), { code: 'EEXIST' });
  });

  it('makeFolder fails instead of retrying forever in a file system that cannot create folders', {
    skip: process.platform !== 'linux' && 'only Linux has one that every user can reach: /proc',
  }, async () => {
    // The call runs in a separate process, which can be killed if the call never returns.
    const code = `import(${JSON.stringify(source)}).then(({ makeFolder }) => makeFolder('/proc/foyer/data'))`;
    await assert.rejects(run(process.execPath, ['-e', code], { timeout: 20_000 }), {
      killed: false,
      stderr: /ENOENT: no such file or directory, mkdir '\/proc\/foyer'/,
    });
  });
});
