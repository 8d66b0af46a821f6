import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '../../packages/foyer/src/testing/free-port.ts';
import { setStage } from '../../packages/foyer/test/support/start-foyer.ts';

/** What the image contains and how its health check works, read from the real Dockerfile and .dockerignore. */

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const dockerfile = read('Dockerfile').replace(/\\\n/g, ' ');
const sources = globSync(['src/**/*.ts', 'packages/foyer/src/**/*.ts'], { cwd: root });
const dependenciesOf = (file: string): Record<string, string> => {
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(read(file));
  return { ...dependencies, ...peerDependencies };
};

/**
 * Applies Docker's rule: the last line that matches a path, or a folder above it, decides. A line with `!` includes the
 * path, and any other line ignores it.
 */
function isIgnored(path: string): boolean {
  const parts = path.split('/');
  const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.findLast((line) => above.some((part) => patternOf(line.replace(/^!/, '')).test(part)));
  return last !== undefined && !last.startsWith('!');
}

/** Does not use path.matchesGlob, because its `*` skips names that begin with a dot. Docker's `*` matches them. */
function patternOf(glob: string): RegExp {
  const source = glob
    .replaceAll('.', '\\.')
    .replaceAll('**/', '\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('\0', '(?:.*/)?');
  return new RegExp(`^${source}$`);
}

/** The paths that the Dockerfile copies from the checkout. */
function copiedPaths(): string[] {
  const copies = dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm);
  return [...copies].flatMap(([, from = '']) => from.trim().split(/\s+/));
}

/** Runs the image's health check against this port; resolves to its exit code. */
async function healthCheck(port: number): Promise<number> {
  const [, command = '[]'] = /^HEALTHCHECK .*?CMD (\[.+\])$/m.exec(dockerfile) ?? [];
  const [program, ...args]: string[] = JSON.parse(command);
  assert.equal(program, 'node');
  const child = spawn(process.execPath, args, { env: { PORT: String(port) }, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code;
}

describe('the image', () => {
  it('the image runs the same Node version as the tests', () => {
    const lock: { packages: Record<string, { version: string }> } = JSON.parse(read('package-lock.json'));
    const [, version] = /^ARG NODE_VERSION=(\S+)$/m.exec(dockerfile) ?? [];
    assert.equal(version, lock.packages['node_modules/node']?.version);
  });

  it('the image’s health check passes while Foyer runs, and fails on a 503 or if nothing answers', async () => {
    const stage = await setStage();
    const port = stage.foyer().address.port;
    try {
      assert.equal(await healthCheck(port), 0);
      await stage.stop();
      assert.equal(await healthCheck(port), 1);
    } finally {
      await stage.close();
    }
    const failing = createServer((_req, res) => res.writeHead(503).end()).listen(0, '127.0.0.1');
    await once(failing, 'listening');
    assert.equal(await healthCheck((failing.address() as AddressInfo).port), 1);
    failing.close();
    assert.equal(await healthCheck(await freePort()), 1);
  });

  it('the container starts main.ts without a shell, and not as root', () => {
    assert.match(dockerfile, /^ENTRYPOINT \["node"\]$/m);
    assert.match(dockerfile, /^CMD \[(?:"--[^"]+", )*"src\/main\.ts"\]$/m);
    const [, user] = /^USER (\d+):\d+$/m.exec(dockerfile) ?? [];
    assert.ok(Number(user) > 0);
  });

  it('.dockerignore excludes secrets, data, the Git history and tests', () => {
    const kept = [
      '.env',
      '.env.backup-1795322000000',
      'data/foyer.db',
      'data/foyer.db-wal',
      'data/foyer.db.key',
      'foyer-2026-11-22.db',
      'src/.env',
      'src/foyer.db',
      'packages/foyer/src/database/foyer.db-wal',
      'src/foyer.db.key',
      'src/tls.pem',
      'deploy/foyer.env',
      '.git/config',
      '.npmrc.local',
      'node_modules/node/bin/node',
      'deploy/test/image.test.ts',
      'packages/foyer/test/routes.test.ts',
      'packages/foyer/.env',
      'packages/sandbox/src/main.ts',
    ];
    assert.deepEqual(
      kept.filter((path) => !isIgnored(path)),
      [],
    );
  });

  it('the Dockerfile copies every file that Foyer imports or reads while it runs', () => {
    const readAtRunTime = sources.flatMap((file) =>
      [...read(file).matchAll(/new URL\('((?:\.\.\/)+[^']+)', import\.meta\.url\)/g)].map(([, path = '']) =>
        join(file, '..', path),
      ),
    );
    assert.deepEqual(readAtRunTime.sort(), ['manifest.json']);
    const needed = [
      ...sources,
      ...readAtRunTime,
      'package.json',
      'packages/foyer/package.json',
      'package-lock.json',
      '.npmrc',
    ];
    assert.deepEqual(needed.filter(isIgnored), []);
    const copied = copiedPaths();
    const missing = needed.filter(
      (path) => !copied.some((from) => path === from || path.startsWith(`${from}/`)),
    );
    assert.deepEqual(missing, []);
  });

  it('Foyer’s package.json lists every package that Foyer imports, and the app’s package.json every package that the app imports', () => {
    const missing = sources.flatMap((file) => {
      const dependencies = dependenciesOf(
        file.startsWith('src/') ? 'package.json' : 'packages/foyer/package.json',
      );
      return [...read(file).matchAll(/(?:\bfrom |\bimport\()'([^.'\s][^'\s]*)'/g)]
        .map(([, name = '']) => name)
        .filter((name) => !isBuiltin(name))
        .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
        .filter((name) => !Object.hasOwn(dependencies, name))
        .map((name) => `${file}: ${name}`);
    });
    assert.deepEqual(missing, []);
  });
});
