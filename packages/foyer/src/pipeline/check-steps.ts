import type { ConfigProblem } from '../config/config-error.ts';

const documented = ['name', 'title', 'required', 'timeLimitMs', 'maxAttempts', 'run'];
const known = [...documented, 'write', 'unneeded', 'forOperators'];
const wholeNumber = (value: unknown, most: number): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;

/**
 * Lists all problems in a list of steps, each with its fix. `option` names the list in the definition.
 *
 * Why at startup: Foyer creates a run from this list after Slack has issued tokens, and an invalid step would fail only
 * then.
 */
export function checkSteps(option: string, steps: unknown): ConfigProblem[] {
  if (!Array.isArray(steps)) {
    return [
      {
        name: option,
        problem: 'is not a list of steps',
        fix: `give ${option}: [${option === 'install' ? '...builtInSteps(), ' : ''}yourStep]`,
      },
    ];
  }
  const names = new Set<unknown>();
  // `Array.from` turns a hole in the list into undefined, which is then reported.
  return Array.from(steps).flatMap((step: unknown, index) => {
    const problems = checkStep(`${option}[${index}]`, step);
    const name = typeof step === 'object' && step !== null && 'name' in step ? step.name : undefined;
    if (typeof name === 'string' && names.has(name)) {
      const problem = `has the name of an earlier step: ${name}`;
      problems.push({ name: `${option}[${index}]`, problem, fix: 'give each step its own name' });
    }
    names.add(name);
    return problems;
  });
}

function checkStep(where: string, step: unknown): ConfigProblem[] {
  if (typeof step !== 'object' || step === null) {
    return [{ name: where, problem: 'is not a step', fix: 'give an object with name, title and run' }];
  }
  // Do not copy the step: if it is an instance of a class, the copy would lack the class's `run`.
  const given = step as Record<string, unknown>;
  const { name, title, required, timeLimitMs, maxAttempts, run, write } = given;
  const label = typeof name === 'string' && name !== '' ? `${where} (${name})` : where;
  const problems: ConfigProblem[] = [];
  const fault = (problem: string, fix: string): void => void problems.push({ name: label, problem, fix });
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,59}$/.test(name)) {
    fault('has an invalid name', "use lowercase words with hyphens: name: 'start-trial'");
  }
  const titles: unknown[] =
    typeof title === 'object' && title !== null ? Object.values({ todo: '', doing: '', ...title }) : [];
  if (titles.length !== 2 || !titles.every((text) => typeof text === 'string' && text.trim() !== '')) {
    fault('has no title', "give title: { todo: 'Start the trial', doing: 'Starting the trial' }");
  }
  if (typeof run !== 'function' && typeof write !== 'function') {
    fault('has no run function', 'add a method: async run(context) { … }');
  }
  if (required !== undefined && typeof required !== 'boolean')
    fault('has an invalid `required`', 'give true, or leave it out');
  if (timeLimitMs !== undefined && !wholeNumber(timeLimitMs, 600_000)) {
    fault(
      'has an invalid `timeLimitMs`',
      'give a whole number of milliseconds, 600,000 at most; the default is 30,000',
    );
  }
  if (maxAttempts !== undefined && !wholeNumber(maxAttempts, 1000)) {
    fault('has an invalid `maxAttempts`', 'give a whole number, 1,000 at most; the default is 8');
  }
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  if (unknown.length > 0)
    fault(`has unknown properties: ${unknown.join(', ')}`, `use ${documented.join(', ')}`);
  return problems;
}
