/** The result of one check of `doctor`. */
export interface Finding {
  /** The name of the check, such as `database-integrity`. */
  check: string;
  /** fault: something does not work; warning: it works, but someone should look. */
  status: 'ok' | 'warning' | 'fault';
  /** What the check found, in a sentence or two. Never contains a secret. */
  detail: string;
  /** What the operator should do; null if there is nothing to do. */
  fix: string | null;
}

/** Makes the findings of one check. */
export function findingsOf(check: string) {
  const warning = (detail: string, fix: string): Finding => ({ check, status: 'warning', detail, fix });
  return {
    ok: (detail: string): Finding => ({ check, status: 'ok', detail, fix: null }),
    warning,
    fault: (detail: string, fix: string): Finding => ({ check, status: 'fault', detail, fix }),
    /** The check could not run, for this reason. */
    unchecked: (reason: string) =>
      warning(`Not checked: ${reason}.`, 'Fix that first, and run doctor again.'),
  };
}
