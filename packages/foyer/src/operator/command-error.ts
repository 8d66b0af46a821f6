/** Thrown when a command cannot do what was asked; the message says what the operator can do. Exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code = 'command_failed';
}

/** Thrown when a command was asked in a way that it does not understand. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'wrong_usage';
}
