/** What one check of `doctor` found. */
export interface Finding {
  /** The check by name, such as `database-integrity`. */
  check: string;
  /** fault: something does not work; warning: it works, but someone should look. */
  status: 'ok' | 'warning' | 'fault';
  /** One sentence; never a secret. */
  detail: string;
  /** What to do; null if there is nothing to do. */
  fix: string | null;
}

/** Nothing to do here. */
export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail, fix: null };
}

/** It works, but someone should look. */
export function warning(check: string, detail: string, fix: string): Finding {
  return { check, status: 'warning', detail, fix };
}

/** Something does not work. */
export function fault(check: string, detail: string, fix: string): Finding {
  return { check, status: 'fault', detail, fix };
}

/** The check could not be made, for a reason that another finding names. */
export function unchecked(check: string, reason: string): Finding {
  return warning(check, `Not checked: ${reason}.`, 'Fix that first, and run doctor again.');
}
