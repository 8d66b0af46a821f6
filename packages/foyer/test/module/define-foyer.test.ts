import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { definitionProblems } from '../../src/define-foyer.ts';
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
  it('defineFoyer opens no file and keeps no reference to the options', () => {
    const options = { manifest: './no-such-file.json', basePath: '/a' };
    const definition = defineFoyer(options);
    options.basePath = '/b';
    assert.equal(definition.basePath, '/a');
    assert.ok(Object.isFrozen(definition));
  });

  it('createFoyer reports every problem of the definition, the manifest and the environment at once, each with its fix', async () => {
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

  it('createFoyer refuses options of the wrong type that would otherwise fail only later', async () => {
    const up = async () => {};
    const section = (id: string) => ({ id, blocks: () => [] });
    const circular: Record<string, unknown> = { ...JSON.parse(fixtureManifest) };
    circular.self = circular;
    const wrong: [options: Record<string, unknown>, expected: RegExp][] = [
      [{ home: null }, /^home is not an object$/],
      [{ home: [section('a')] }, /^home is not an object$/],
      [{ home: { section: [] } }, /^home.section is not an option of home$/],
      [{ home: { sections: {} } }, /^home.sections is not a list of sections$/],
      [{ home: { sections: 'all' } }, /^home.sections is not a list of sections$/],
      [{ home: { sections: [null] } }, /^home.sections\[0\] has no id$/],
      [{ home: { sections: [section('a'), section(' ')] } }, /^home.sections\[1\] has no id$/],
      [{ home: { sections: [{ id: 'a' }] } }, /^home.sections\[0\] has no blocks function$/],
      [{ home: { sections: [section('a'), section('a')] } }, /\[1\] has the id of an earlier section: a$/],
      [{ migrations: null }, /^migrations is not an object of migrations by name$/],
      [{ migrations: [{ up }] }, /^migrations is not an object of migrations by name$/],
      [{ migrations: './migrations' }, /^migrations is not an object of migrations by name$/],
      [{ migrations: new Map([['0001-a', { up }]]) }, /^migrations is not an object of migrations by name$/],
      [{ migrations: { '0001-a': up } }, /^migrations\["0001-a"\] has no up function$/],
      [{ migrations: { '0001-a': null } }, /^migrations\["0001-a"\] has no up function$/],
      [{ migrations: { '0001-a': { up: 'create table a' } } }, /^migrations\["0001-a"\] has no up function$/],
      [{ migrations: { ' ': { up } } }, /^migrations\[" "\] has an invalid name$/],
      [{ migrations: { ['0'.repeat(256)]: { up } } }, /^migrations\["0{80}"\] has an invalid name$/],
      [{ install: new Array(1) }, /^install\[0\] is not a step$/],
      [{ jobs: new Array(1) }, /^jobs\[0\] has no run function$/],
      [{ texts: [] }, /^texts is not an object$/],
      [{ brand: [] }, /^brand is not an object$/],
      [{ manifest: circular }, /^manifest is not JSON$/],
      [{ basePath: 10n }, /^basePath is not a path: a bigint$/],
      [{ config: {} }, /^config is not the configuration that readConfig returns$/],
      [{ config: { slack: null } }, /^config is not the configuration that readConfig returns$/],
      [{ config: './foyer.json' }, /^config is not the configuration that readConfig returns$/],
    ];
    for (const [options, expected] of wrong) {
      const problems = await problemsOf({ manifest: JSON.parse(fixtureManifest), ...options } as never);
      assert.ok(
        problems.some((line) => expected.test(line)),
        `${expected}: ${problems.join(' · ')}`,
      );
    }
  });

  it('a definition can contain steps and jobs that are instances of a class', () => {
    class Greet implements Step {
      readonly name = 'greet';
      readonly title = { todo: 'Greet', doing: 'Greeting' };
      async run() {
        return null;
      }
    }
    class Bill {
      readonly name = 'bill';
      readonly everyMs = 60_000;
      async run() {}
    }
    const definition = { manifest: JSON.parse(fixtureManifest), install: [new Greet()], jobs: [new Bill()] };
    assert.deepEqual(definitionProblems(defineFoyer(definition)), []);
  });

  it('createFoyer refuses a base path that leads to another host or is not a plain path', async () => {
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
