/** The result of one check of `doctor`. */
export interface Finding {
  /** The name of the check, such as `database-integrity`. */
  check: string;
  /** fault: something does not work; warning: it works, but someone should look. */
  status: 'ok' | 'warning' | 'fault';
  /** One sentence; never a secret. */
  detail: string;
  /** What to do; null if there is nothing to do. */
  fix: string | null;
}

/** A finding that needs no action. */
export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail, fix: null };
}

/** A finding that something works, but someone should look. */
export function warning(check: string, detail: string, fix: string): Finding {
  return { check, status: 'warning', detail, fix };
}

/** A finding that something does not work. */
export function fault(check: string, detail: string, fix: string): Finding {
  return { check, status: 'fault', detail, fix };
}

/** A finding that a check could not be made, for a reason that another finding names. */
export function unchecked(check: string, reason: string): Finding {
  return warning(check, `Not checked: ${reason}.`, 'Fix that first, and run doctor again.');
}
