import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  builtInSteps,
  ConfigError,
  createFoyer,
  defineFoyer,
  readConfig,
  type Step,
} from '../../src/index.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';

const step = (name: string): Step => ({
  name,
  title: { todo: 'Do it', doing: 'Doing it' },
  run: async () => null,
});

async function problemsOf(definition: Parameters<typeof defineFoyer>[0]): Promise<string[]> {
  const error = await createFoyer(defineFoyer(definition)).then(
    () => assert.fail('it started'),
    (cause) => cause,
  );
  assert.ok(error instanceof ConfigError, String(error));
  for (const { fix } of error.problems) assert.notEqual(fix, '');
  return error.problems.map(({ name, problem }) => `${name} ${problem}`);
}

describe('a definition', () => {
  it('opens nothing and keeps no reference to the options', () => {
    const options = { manifest: './no-such-file.json', basePath: '/a' };
    const definition = defineFoyer(options);
    options.basePath = '/b';
    assert.equal(definition.basePath, '/a');
    assert.ok(Object.isFrozen(definition));
  });

  it('reports every problem of definition, manifest and environment at once, each with its fix', async () => {
    const problems = await problemsOf({
      manifest: './no-such-file.json',
      basePath: 'integrations/',
      install: [
        ...builtInSteps(),
        step('twice'),
        step('twice'),
        { ...step('untitled'), title: { todo: ' ', doing: 'Doing it' } },
        { ...step('Bad Name') },
        { ...step('no-run'), run: undefined },
        { ...step('limits'), timeLimitMs: 0, maxAttempts: Number.NaN, colour: 'red' },
      ] as unknown as Step[],
      opened: [step('greet'), step('greet')] as unknown as Step[],
      workspaceGranted: step('greet') as unknown as Step[],
      ...({ listener: () => {} } as object),
    });
    const expected = [
      /^listener is not an option of defineFoyer$/,
      /^basePath is not a path: "integrations\/"$/,
      /^install\[7\] has the name of an earlier step: twice$/,
      /^install\[8\] \(untitled\) has no title$/,
      /^install\[9\] \(Bad Name\) has an invalid name$/,
      /^install\[10\] \(no-run\) has no run function$/,
      /^install\[11\] \(limits\) has an invalid `timeLimitMs`$/,
      /^install\[11\] \(limits\) has an invalid `maxAttempts`$/,
      /^install\[11\] \(limits\) has unknown properties: colour$/,
      /^opened\[1\] has the name of an earlier step: greet$/,
      /^workspaceGranted is not a list of steps$/,
      /^SLACK_CLIENT_ID is missing/,
      /^manifest\.json cannot be read/,
    ];
    for (const pattern of expected) {
      assert.ok(
        problems.some((problem) => pattern.test(problem)),
        `${pattern} in\n${problems.join('\n')}`,
      );
    }
  });

  it('refuses a base path that leads elsewhere', async () => {
    const config = readConfig({
      SLACK_CLIENT_ID: '1.2',
      SLACK_CLIENT_SECRET: 'a',
      SLACK_SIGNING_SECRET: 'b',
    });
    const manifest = JSON.parse(fixtureManifest);
    for (const basePath of [
      '//evil.example',
      '/a/../b',
      '/a/',
      '/a b',
      '/a?b',
      'https://evil.example',
      '/.',
    ]) {
      const problems = await problemsOf({ manifest, config, basePath });
      assert.deepEqual(problems, [`basePath is not a path: ${JSON.stringify(basePath)}`], basePath);
    }
  });
});
