import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createSandbox } from 'slack-sandbox';
import { freePort } from '../../src/testing/free-port.ts';
import { createVisitor, eventually, finishedRun, install } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import { copyClone, linkPackages, pack, unpack } from '../support/packed-clone.ts';

/**
 * Tests the tarball as an adopter uses it: unpacked in node_modules, as plain JavaScript that Node runs without flags.
 * The tarball's dependencies are linked from this repository, so that the test needs no registry.
 */

const root = join(import.meta.dirname, '../../../..');
const run = promisify(execFile);

/** The Node binaries to test the tarball on: this one, and those in FOYER_NODES, separated by colons. */
const nodes = [process.execPath, ...(process.env.FOYER_NODES ?? '').split(':').filter(Boolean)];

/** An Express app in plain JavaScript with its own step, listener, Home section and table. */
const hostSource = `
import { once } from 'node:events';
import express from 'express';
import { builtInSteps, createFoyer, defineFoyer, readConfig } from 'slack-foyer';
import manifest from './manifest.json' with { type: 'json' };

const definition = defineFoyer({
  manifest,
  basePath: '/integrations/slack',
  config: readConfig(process.env),
  install: [...builtInSteps(), {
    name: 'note-order',
    title: { todo: 'Note the order', doing: 'Noting the order' },
    async run({ installationId, write }) {
      write((tx) => tx.insertInto('orders').values({ id: 'o-' + installationId, total: 1 }).execute());
      return { noted: true };
    },
  }],
  listeners(app) {
    app.message('hello', async ({ say }) => void (await say('Hello from the host')));
  },
  home: { sections: [{
    id: 'orders',
    async blocks(viewer, foyer) {
      const { count } = await foyer.database.queries.selectFrom('orders')
        .select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow();
      return [{ type: 'section', text: { type: 'mrkdwn', text: 'Orders: ' + count } }];
    },
  }] },
  migrations: {
    '0001-orders': {
      async up(db) {
        await db.schema.createTable('orders').addColumn('id', 'text', (c) => c.primaryKey())
          .addColumn('total', 'integer').execute();
      },
    },
  },
});
const foyer = await createFoyer(definition);
const app = express();
app.use(foyer.middleware);
app.get('/own', (_req, res) => res.send('the host'));
app.post('/order/:id', async (req, res) => {
  await foyer.database.write((tx) => tx.insertInto('orders').values({ id: req.params.id, total: 2 }).execute());
  res.send('ordered');
});
const server = app.listen(Number(process.env.PORT), '127.0.0.1');
if (!server.listening) await once(server, 'listening');
await foyer.start();
console.log('ready on', process.version);
process.once('SIGTERM', async () => {
  server.closeAllConnections();
  server.close();
  await foyer.stop();
  process.exit(0);
});
`;

describe('the package', () => {
  let tarball = '';
  let folder = '';
  let clone = '';
  let files: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'foyer-package-'));
    clone = join(folder, 'clone');
    copyClone(clone);
    tarball = await pack(clone, 'slack-foyer', folder);
    linkPackages(folder);
    unpack(tarball, 'slack-foyer', folder);
    files = readdirSync(join(folder, 'node_modules/slack-foyer'), { recursive: true }).map(String);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'host', type: 'module' }));
    writeFileSync(join(folder, 'host.js'), hostSource);
    writeFileSync(join(folder, 'manifest.json'), fixtureManifest);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('the tarball contains compiled JavaScript with types and source maps, no tests or benchmarks, and no TypeScript source except in examples/', () => {
    assert.ok(files.includes('dist/index.js'));
    assert.ok(files.includes('dist/index.d.ts'));
    assert.ok(files.includes('dist/index.js.map'));
    assert.deepEqual(
      files
        .filter((file) => /(^|\/)(test|bench|src)(\/|$)|\.test\.|(?<!\.d)\.ts$/.test(file))
        .filter((file) => !/^examples\/(?!.*\.test\.)/.test(file)),
      [],
    );
    const { size } = statSync(tarball);
    assert.ok(size < 2_000_000, `the tarball has ${size} bytes`);
  });

  it('the tarball contains the license, the changelog, `.env.example`, a manifest, the guides and the examples', () => {
    const expected = ['LICENSE', 'CHANGELOG.md', '.env.example', 'manifest.json', 'docs/updating.md'];
    for (const file of [...expected, 'examples/express/server.ts', 'operations/alerts.yml'])
      assert.ok(files.includes(file), file);
  });

  it('each relative link in the tarball’s README and guides leads to a file of the tarball', () => {
    const pages = ['README.md', ...files.filter((file) => /^docs\/.*\.md$/.test(file))];
    const links = pages.flatMap((page) =>
      [...readFileSync(join(folder, 'node_modules/slack-foyer', page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !/^([a-z]+:|#)/.test(link))
        .map((link) => ({ page, file: join(dirname(page), link.replace(/#.*/, '')).replace(/\/$/, '') })),
    );
    assert.ok(links.filter(({ page }) => page === 'README.md').length > 5);
    assert.deepEqual(
      links.filter(({ file }) => !files.includes(file)),
      [],
    );
  });

  it('`npm pack` leaves the clone as it was', () => {
    const namesIn = (repository: string) =>
      readdirSync(join(repository, 'packages/foyer'))
        .filter((name) => name !== 'dist')
        .sort();
    assert.deepEqual(namesIn(clone), namesIn(root));
    const readme = 'packages/foyer/README.md';
    assert.equal(readFileSync(join(clone, readme), 'utf8'), readFileSync(join(root, readme), 'utf8'));
  });

  it('the tarball passes publint and @arethetypeswrong/cli', async () => {
    await run('npx', ['publint', '--strict', tarball], { cwd: root });
    await run('npx', ['attw', tarball, '--profile', 'esm-only'], { cwd: root });
  });

  it('a TypeScript host with moduleResolution nodenext compiles against the types of the package', async () => {
    writeFileSync(
      join(folder, 'host.ts'),
      `import type { Transaction } from 'kysely';
       import { builtInSteps, createFoyer, defineFoyer, type Step, steps } from 'slack-foyer';
       interface MyTables { orders: { id: string; total: number } }
       const note: Step<{ teamId: string }> = {
         name: 'note', title: { todo: 'Note', doing: 'Noting' },
         async run({ output, write }) {
           write((tx) => tx.insertInto('anything').values({ id: 'o1' }).execute());
           write((tx: Transaction<MyTables>) => tx.insertInto('orders').values({ id: 'o1', total: 2 }).execute());
           // @ts-expect-error: there is no such table
           write((tx: Transaction<MyTables>) => tx.insertInto('order').values({ id: 'o1' }).execute());
           return { teamId: output(steps.registerTeam)?.teamId ?? '' };
         },
       };
       const foyer = await createFoyer(defineFoyer<MyTables>({ manifest: {}, install: [...builtInSteps(), note] }));
       const total: number | undefined =
         (await foyer.database.queries.selectFrom('orders').select('total').executeTakeFirst())?.total;
       // @ts-expect-error: there is no such column
       await foyer.database.queries.selectFrom('orders').select('tota').execute();
       console.log(total);
      `,
    );
    const options = ['--module', 'nodenext', '--target', 'es2024', '--strict', '--noEmit', '--types', 'node'];
    await run(join(root, 'node_modules/.bin/tsc'), [...options, 'host.ts'], { cwd: folder });
  });

  it('the README’s example app starts with the README’s command, uses PORT from .env, and serves the paths that the README lists', async (t) => {
    const readme = readFileSync(join(folder, 'node_modules/slack-foyer/README.md'), 'utf8');
    const [define = '', server = ''] = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
    const [, command = ''] = /^(node .*src\/server\.ts)$/m.exec(readme) ?? [];
    const [, basePath = ''] = /basePath: '(.+)'/.exec(define) ?? [];
    const app = join(folder, 'readme-app');
    mkdirSync(join(app, 'src'), { recursive: true });
    writeFileSync(join(app, 'src/foyer.ts'), define);
    writeFileSync(join(app, 'src/server.ts'), server);
    writeFileSync(join(app, 'manifest.json'), fixtureManifest);
    const port = await freePort();
    const settings = [`PORT=${port}`, 'SLACK_CLIENT_ID=1.2', 'SLACK_CLIENT_SECRET=client-secret'];
    settings.push(`SLACK_SIGNING_SECRET=${'a'.repeat(32)}`, 'SIGN_IN=on', 'LOG_LEVEL=silent');
    settings.push('OPERATOR_PASSWORD=Correct-Horse 7 battery');
    writeFileSync(join(app, '.env'), settings.join('\n'));

    const [, ...args] = command.split(' ');
    const child = spawn(process.execPath, args, {
      cwd: app,
      env: { PATH: process.env.PATH },
      stdio: 'inherit',
    });
    const exited = once(child, 'exit');
    t.after(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    const ask = (path: string) =>
      fetch(`http://127.0.0.1:${port}${basePath}${path}`, { redirect: 'manual' }).catch(() => undefined);
    await eventually(async () => {
      assert.equal(child.exitCode, null);
      return (await ask('/healthz'))?.ok;
    });
    const table = /^## Paths\n.*?\n\n(\| path.*?)\n\n/ms.exec(readme)?.[1] ?? '';
    const paths = table.split('\n').flatMap((row) => (row.split('|')[1] ?? '').match(/(?<=`)\/[^`]*/g) ?? []);
    assert.ok(paths.includes('/slack/oauth_redirect'), table);
    for (const path of paths.filter((path) => path !== '/installs/TOKEN'))
      assert.notEqual((await ask(path))?.status, 404, path);
    assert.equal((await ask('/slack/unknown'))?.status, 404);
  });

  for (const node of nodes) {
    it(`a plain JavaScript host runs Foyer below a base path in Express on ${node === process.execPath ? 'this Node' : node.split('/').at(-3)}`, async (t) => {
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const url = `${origin}/integrations/slack`;
      const sandbox = await createSandbox({
        manifest: {
          ...JSON.parse(fixtureManifest),
          settings: {
            ...JSON.parse(fixtureManifest).settings,
            event_subscriptions: {
              request_url: 'https://example.com',
              bot_events: ['app_home_opened', 'app_uninstalled', 'tokens_revoked', 'message.im'],
            },
          },
        },
        eventUrl: `${url}/slack/events`,
        redirectUrls: [`${url}/slack/oauth_redirect`],
      });
      const database = join(mkdtempSync(join(folder, 'data-')), 'foyer.db');
      const start = () => {
        const child = spawn(node, ['host.js'], {
          cwd: folder,
          env: {
            PATH: `${dirname(node)}:${process.env.PATH}`,
            SLACK_CLIENT_ID: sandbox.app.clientId,
            SLACK_CLIENT_SECRET: sandbox.app.clientSecret,
            SLACK_SIGNING_SECRET: sandbox.app.signingSecret,
            SLACK_AUTHORIZATION_URL: sandbox.authorizationUrl,
            SLACK_API_URL: sandbox.apiUrl,
            PUBLIC_URL: origin,
            PORT: String(port),
            DATABASE_URL: `file:${database}`,
            LOG_LEVEL: 'warn',
          },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        return { child, ready: once(child.stdout, 'data').then(([text]) => String(text)) };
      };
      let host = start();
      t.after(async () => {
        host.child.kill('SIGKILL');
        await sandbox.close();
      });
      assert.match(await host.ready, /ready/);
      const visitor = createVisitor();
      const workspace = sandbox.workspace('Acme');
      const person = sandbox.person('Acme');
      const whom = { teamId: workspace.id, userId: person.id };
      const answer = await install(visitor, url, sandbox, whom);
      const status = await finishedRun(visitor, new URL(answer.headers.get('location') ?? '', url).href);
      assert.equal(status.status, 'succeeded');
      assert.equal(status.steps.find(({ name }) => name === 'note-order')?.status, 'succeeded');
      const shows = async (text: string) => {
        await sandbox.openHome(whom);
        await sandbox.settled();
        await eventually(async () => JSON.stringify(sandbox.homeView(whom)).includes(text));
      };
      await shows('Orders: 1');
      await visitor.post(`${origin}/order/second`);
      await shows('Orders: 2');
      const ended = once(host.child, 'exit');
      host.child.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
      host = start();
      assert.match(await host.ready, /ready/);
      await shows('Orders: 2');
    });
  }
});
