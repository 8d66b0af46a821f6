/** One problem in the environment or the definition, and its fix. */
export interface ConfigProblem {
  name: string;
  problem: string;
  fix: string;
}

/** Lists problems with their fixes. The first line says what the problems prevent, such as `Foyer cannot start`. */
export function configErrorText(prevented: string, problems: readonly ConfigProblem[]): string {
  const list = problems.map(({ name, problem, fix }) => `  ${name}: ${problem}\n    → ${fix}`).join('\n');
  return `${prevented}: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`} to fix:\n${list}`;
}

/** Thrown if Foyer cannot start with its environment or definition; `problems` lists all problems. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(configErrorText('Foyer cannot start', problems), options);
    this.problems = problems;
  }
}
