import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { describe, it } from 'node:test';

/**
 * The folders and files at the top level of src. A file may import from its own entry in this list and from the entries
 * before it, but not from later entries.
 */
const order = [
  'config',
  'slack',
  'texts',
  'database',
  'http',
  'installations',
  'connections',
  'install',
  'home',
  'signin',
  'notices',
  'pipeline',
  'steps',
  'chores',
  'events',
  'operator',
  'routes.ts',
  'foyer.ts',
  'define-foyer.ts',
  'installation-methods.ts',
  'each-installation.ts',
  'create-background.ts',
  'assemble-foyer.ts',
  'create-foyer.ts',
  'notify-systemd.ts',
  'serve.ts',
  'testing',
  'command-line.ts',
  'run-command.ts',
  'bin.ts',
  'index.ts',
];

const root = join(import.meta.dirname, '..');
const files = (pattern: string): string[] =>
  globSync(pattern, { cwd: root }).map((file) => file.split(sep).join('/'));

/** Every relative import of a file, as a path from the package's root. */
function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = source.matchAll(/(?:from|import|import\()\s*['"`](\.{1,2}\/[^'"`]+)['"`]/g);
  return [...found].map(([, path = '']) =>
    relative(root, normalize(join(root, dirname(file), path)))
      .split(sep)
      .join('/'),
  );
}

const roomOf = (file: string): string => file.split('/')[1] ?? '';

describe('the layout', () => {
  it('the layout list contains all folders and files at the top level of src', () => {
    const strangers = files('src/**/*.ts').filter((file) => !order.includes(roomOf(file)));
    assert.deepEqual(strangers, []);
  });

  it('a source file imports only from its own entry of the layout list and from earlier entries', () => {
    const backwards = files('src/**/*.ts').flatMap((file) =>
      importsOf(file)
        .filter(
          (target) =>
            target.startsWith('src/') && order.indexOf(roomOf(target)) > order.indexOf(roomOf(file)),
        )
        .map((target) => `${file} → ${target}`),
    );
    assert.deepEqual(backwards, []);
  });

  it('the module, the sandbox and the app import no file outside their own src by a relative path', () => {
    const shipped = (file: string): boolean => !/\.test\.ts$|\/test-support\//.test(file);
    const crossing = ['src', 'packages/foyer/src', 'packages/sandbox/src'].flatMap((folder) =>
      files(`../../${folder}/**/*.ts`)
        .filter(shipped)
        .flatMap((file) =>
          importsOf(file)
            .filter(
              (target) =>
                !target.startsWith(
                  relative(root, join(root, '../..', folder))
                    .split(sep)
                    .join('/'),
                ),
            )
            .map((target) => `${file} → ${target}`),
        ),
    );
    assert.deepEqual(crossing, []);
  });

  it('each export of the module has a unique name', () => {
    const names = new Map<string, Set<string>>();
    for (const file of files('src/**/*.ts')) {
      const source = readFileSync(join(root, file), 'utf8');
      const exported = source.matchAll(
        /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|const|let|class|interface|type|enum) (\w+)/gm,
      );
      for (const [, name = ''] of exported) names.set(name, (names.get(name) ?? new Set()).add(file));
    }
    assert.ok(names.size > 300, `only ${names.size} found`);
    const shared = [...names].filter(([, places]) => places.size > 1);
    assert.deepEqual(
      shared.map(([name, places]) => `${name}: ${[...places].join(', ')}`),
      [],
    );
  });

  it('test/README.md names only existing files', () => {
    const named = readFileSync(join(root, 'test/README.md'), 'utf8').matchAll(/`([\w./-]+\.ts)`/g);
    const missing = [...named]
      .map(([, name = '']) => name)
      .filter((name) => !existsSync(join(root, 'test', name)));
    assert.deepEqual(missing, []);
  });

  for (const [what, pattern] of [
    ['the module', 'src/**/*.ts'],
    ['the sandbox', '../sandbox/src/**/*.ts'],
  ] as const) {
    it(`${what} has no import cycle`, () => {
      const graph = new Map(files(pattern).map((file) => [file, importsOf(file)]));
      const done = new Set<string>();
      const visit = (file: string, trail: readonly string[]): void => {
        assert.ok(!trail.includes(file), `a cycle: ${[...trail, file].join(' → ')}`);
        if (done.has(file)) return;
        for (const target of graph.get(file) ?? []) visit(target, [...trail, file]);
        done.add(file);
      };
      for (const file of graph.keys()) visit(file, []);
      assert.ok(done.size > 50);
    });
  }

  it('only config/config.ts reads the environment', () => {
    const readers = files('src/**/*.ts').filter((file) =>
      /process\.env|process\['env'\]/.test(readFileSync(join(root, file), 'utf8')),
    );
    assert.deepEqual(readers, ['src/config/config.ts']);
  });

  it('.env.example names every variable of the configuration', () => {
    const names = readFileSync(join(root, 'src/config/environment-schema.ts'), 'utf8').matchAll(
      /^ {2}([A-Z][A-Z0-9_]+): (?:z|secret|webUrl|protectedUrl|hostPage|originList|personList|wholeNumber|scopeList)/gm,
    );
    const known = [...names].map(([, name = '']) => name);
    assert.ok(known.length >= 20, `only ${known.length} found`);
    const example = readFileSync(join(root, '../../.env.example'), 'utf8');
    assert.deepEqual(
      known.filter((name) => !new RegExp(`^${name}=`, 'm').test(example)),
      [],
    );
  });
});
