/**
 * Thrown when a copy cannot begin or go on.
 * - `target_not_empty`: the target holds something else
 * - `source_changed`: the source was written while it was copied, so that what was copied does not fit together
 * - `taken_over`: another copy into the same target was started, and goes on where this one was
 * - `row_refused`: the target does not take what the source holds
 */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly code: 'target_not_empty' | 'source_changed' | 'taken_over' | 'row_refused';
  constructor(code: CopyError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
