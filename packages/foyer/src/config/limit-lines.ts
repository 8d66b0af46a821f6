import type { Logger as PinoLogger } from 'pino';

/**
 * Limits what the log says about one problem. All lines with the same level, code and text belong to one class. The log
 * writes the first lines of a class in full. After that it writes one line a minute, which says how many more lines
 * there were and where they came from.
 *
 * Why here and not at each call of the logger: an outage of the database or of Slack causes lines in every part of
 * Foyer at the same time, and each new call would need its own limit (invariant 10).
 */

/** How many lines of one class the log writes in full before it only counts them. */
const wholeLines = 3;
const everyMs = 60_000;
/** The maximum number of classes. After that, lines that fit no known class share one class per log level. */
const mostClasses = 200;
/** The ids that say where a problem came from. A line with a count contains up to `mostOrigins` values of each id. */
const origins = ['requestId', 'runId', 'installationId', 'teamId', 'address'] as const;
const mostOrigins = 10;

type Fields = Readonly<Record<string, unknown>>;

interface LineClass {
  whole: number;
  count: number;
  origins: Map<string, Set<unknown>>;
  /** Writes the text of the latest log line of this class, with `fields`, to the logger of that line. */
  write(fields: Fields): void;
}

interface LineLimit {
  /** Returns whether to write this line in full. If not, it is counted, and `write` is called later with the count. */
  admits(line: { level: number; text: string; fields: Fields; write(fields: Fields): void }): boolean;
  /**
   * Writes all counts that are not written yet, and forgets all classes of lines. After that, the first lines of each
   * class are written in full again.
   */
  flush(): void;
}

export function createLineLimit(): LineLimit {
  const classes = new Map<string, LineClass>();
  let timer: NodeJS.Timeout | undefined;

  function writeCounted(): void {
    for (const [key, each] of classes) {
      if (each.count === 0) {
        classes.delete(key);
        continue;
      }
      const { count } = each;
      const from = [...each.origins].map(([name, values]) => [plural(name), [...values]]);
      Object.assign(each, { count: 0, origins: new Map() });
      each.write({ count, ...Object.fromEntries(from) });
    }
    if (classes.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    admits({ level, text, fields, write }) {
      const name = `${level} ${codeOf(fields)} ${text}`;
      const key = classes.has(name) || classes.size < mostClasses ? name : `${level}`;
      const known = classes.get(key);
      timer ??= setInterval(writeCounted, everyMs).unref();
      if (!known) {
        classes.set(key, { whole: 1, count: 0, origins: new Map(), write });
        return true;
      }
      if (known.whole < wholeLines) {
        known.whole += 1;
        return true;
      }
      known.count += 1;
      known.write = write;
      for (const origin of origins) {
        const value = fields[origin];
        if (value === undefined || value === null) continue;
        const values = known.origins.get(origin) ?? new Set();
        if (values.size < mostOrigins) values.add(value);
        known.origins.set(origin, values);
      }
      return false;
    },
    flush() {
      writeCounted();
      classes.clear();
      clearInterval(timer);
      timer = undefined;
    },
  };
}

/** Returns what distinguishes two problems with the same text: the fields `code`, `kind` and `step`, and the error. */
function codeOf({ code, kind, step, err }: Fields): string {
  return [code, kind, step, nameOfError(err)].filter((part) => typeof part === 'string').join(' ');
}

function nameOfError(err: unknown): unknown {
  try {
    return err instanceof Error ? ((err as Error & { code?: unknown }).code ?? err.name) : '';
  } catch {
    // The error cannot be read. `describeError` says how this can happen.
    return '';
  }
}

/** Reads the fields and the text from pino's arguments: an object or an error first, or only the text. */
export function readLine(args: Parameters<PinoLogger['warn']>): { fields: Fields; text: string } {
  const [first, second] = args as unknown[];
  if (typeof first === 'string') return { fields: {}, text: first };
  const fields = first instanceof Error ? { err: first } : ((first ?? {}) as Fields);
  return { fields, text: typeof second === 'string' ? second : '' };
}

const plural = (name: string): string => (name === 'address' ? 'addresses' : `${name}s`);
