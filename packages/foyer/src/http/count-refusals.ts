import type { Logger } from '../config/log.ts';

/** Why Foyer refused a request or closed a connection. */
export const refusalKinds = [
  'signature_missing',
  'signature_malformed',
  'signature_stale',
  'signature_from_the_future',
  'signature_wrong',
  /** The signature is wrong, but the request names this app. So SLACK_SIGNING_SECRET is probably wrong. */
  'secret_mismatch',
  'replayed_press',
  'malformed_body',
  'body_too_large',
  'body_too_slow',
  'body_cut_off',
  'body_read_before',
  'bodies_over_budget',
  'callbacks_limited',
  'installs_limited',
  'maintenance',
  'sign_ins_limited',
  'logins_slowed',
  'wrong_operator_password',
  'wrong_host',
  'malformed_request',
  'request_too_slow',
  'too_many_connections',
  'too_many_from_one_address',
  'too_many_pipelined',
  'answer_unread',
] as const;
export type RefusalKind = (typeof refusalKinds)[number];

const secretMismatch =
  'requests refused: they contain this app’s id, but their signature is wrong. SLACK_SIGNING_SECRET is probably wrong';

/** The log gets at most one line a minute for each kind. */
const everyMs = 60_000;

/**
 * Creates the counter of refused requests, which calls `onRefused` for each refusal. Strangers can cause any number of
 * refusals. So the log gets a line for the first refusal of a kind, and then at most one line a minute for that kind.
 * Each line has the number of new refusals, and the address of the latest refusal (invariant 10).
 */
export function createRefusals(deps: { log: Logger; onRefused?(kind: RefusalKind): void }) {
  const { log } = deps;
  /** The refusals of each kind since its last log line. After a minute without a refusal, the kind is removed. */
  const counted = new Map<RefusalKind, { count: number; address: string }>();
  let timer: NodeJS.Timeout | undefined;

  function write(kind: RefusalKind, count: number, address: string): void {
    // These requests are probably Slack's, not a stranger's. Foyer refuses every event until the secret is corrected.
    if (kind === 'secret_mismatch') log.error({ kind, count, address }, secretMismatch);
    else log.warn({ kind, count, address }, 'requests refused');
  }

  function writeCounted(): void {
    for (const [kind, { count, address }] of counted) {
      if (count === 0) counted.delete(kind);
      else {
        write(kind, count, address);
        counted.set(kind, { count: 0, address });
      }
    }
    if (counted.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    add(kind: RefusalKind, address: string): void {
      deps.onRefused?.(kind);
      const known = counted.get(kind);
      if (known) {
        known.count += 1;
        known.address = address;
        return;
      }
      write(kind, 1, address);
      counted.set(kind, { count: 0, address });
      timer ??= setInterval(writeCounted, everyMs).unref();
    },
    /** Logs what was counted since the last log line, and stops the timer. */
    close(): void {
      writeCounted();
      clearInterval(timer);
      timer = undefined;
      counted.clear();
    },
  };
}

export type Refusals = ReturnType<typeof createRefusals>;
