/** One problem in the environment or the definition, and its fix. */
export interface ConfigProblem {
  name: string;
  problem: string;
  fix: string;
}

/** Thrown if Foyer cannot start with its environment or definition; `problems` lists all problems. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const list = problems.map(({ name, problem, fix }) => `  ${name}: ${problem}\n    → ${fix}`).join('\n');
    super(
      `Foyer cannot start: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`} to fix:\n${list}`,
      options,
    );
    this.problems = problems;
  }
}
