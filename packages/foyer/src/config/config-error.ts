/** One thing that is wrong with the environment, and what to do about it. */
export interface ConfigFault {
  name: string;
  problem: string;
  mend: string;
}

/** Thrown when the environment is unusable; `faults` lists everything that is wrong, not only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';
  readonly faults: readonly ConfigFault[];
  constructor(faults: readonly ConfigFault[], options?: ErrorOptions) {
    const list = faults.map((fault) => `  ${fault.name}: ${fault.problem}\n    → ${fault.mend}`).join('\n');
    super(`Foyer cannot start with this environment (${faults.length} to mend):\n${list}`, options);
    this.faults = faults;
  }
}
