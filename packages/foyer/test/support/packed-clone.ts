import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Why tarballs are packed in a copy of the clone: `npm pack` builds the package and changes its files, which other
 * tests read at the same time.
 */

const root = join(import.meta.dirname, '../../../..');
const notCopied = new Set(['node_modules', '.git', 'dist', 'data', '.env']);

/** Copies the clone's files to `folder`, and links its installed packages. */
export function copyClone(folder: string): void {
  cpSync(root, folder, { recursive: true, filter: (file) => !notCopied.has(basename(file)) });
  linkPackages(folder);
  for (const name of ['foyer', 'sandbox'])
    symlinkSync(`../packages/${name}`, join(folder, 'node_modules', `slack-${name}`));
}

/**
 * Creates symlinks in the folder's `node_modules` to the packages that are installed in this clone, except slack-foyer
 * and slack-sandbox.
 */
export function linkPackages(folder: string): void {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    const isOwn = name === 'slack-foyer' || name === 'slack-sandbox';
    if (isOwn || (name.startsWith('.') && name !== '.bin')) continue;
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
}

/** Runs `npm pack` for a package of `clone`, a copy of the repository. Returns the tarball's path, below `to`. */
export async function pack(
  clone: string,
  name: 'slack-foyer' | 'slack-sandbox',
  to: string,
): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '-w', name, '--json', '--pack-destination', to],
    { cwd: clone, env: { PATH: process.env.PATH, HOME: process.env.HOME, npm_config_loglevel: 'error' } },
  );
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  return join(to, filename);
}

/** Puts a package into the folder's `node_modules` as `npm install` does: as real files. */
export function unpack(tarball: string, name: string, folder: string): void {
  const target = join(folder, 'node_modules', name);
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['xzf', tarball, '--strip-components=1', '-C', target]);
}
