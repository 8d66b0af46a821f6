import type { Logger as PinoLogger } from 'pino';

/**
 * Bounds what the log says of one trouble: the first lines of a class are written whole, and then one line a minute says
 * how many more there were, and whose. A class is what a line says, with its code.
 *
 * Why here and not where lines are written: an outage of the database or of Slack shows in every part of Foyer at once,
 * and each new line would have to remember its bound (invariant 10).
 */

/** Whole lines of one class in a minute. */
const wholeLines = 3;
const everyMs = 60_000;
/** More classes than this share one. */
const mostClasses = 200;
/** What a counted line says of where its trouble came from, and how many of each. */
const origins = ['requestId', 'runId', 'installationId', 'teamId', 'address'] as const;
const mostOrigins = 10;

type Fields = Readonly<Record<string, unknown>>;

interface LineClass {
  whole: number;
  count: number;
  origins: Map<string, Set<unknown>>;
  /** Writes the line that counts, as the logger of the latest line would. */
  write(fields: Fields): void;
}

export interface LineLimit {
  /** Whether this line is written whole. If not, it is counted, and `write` is called later with the count. */
  admits(line: { level: number; text: string; fields: Fields; write(fields: Fields): void }): boolean;
  /** Writes what was counted since the last line. */
  flush(): void;
}

/** Makes the bound of one log. */
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

/** What tells two troubles of one text apart: a code of ours or of Slack's, or the kind of error. */
function codeOf({ code, kind, step, err }: Fields): string {
  const error = err instanceof Error ? ((err as Error & { code?: unknown }).code ?? err.name) : '';
  return [code, kind, step, error].filter((part) => typeof part === 'string').join(' ');
}

/** Warnings and errors are bounded; the last words of a process and what was asked for in detail are not. */
export const isBounded = (level: number): boolean => level === 40 || level === 50;

/** The fields and the text of pino's arguments: an object or an error first, or the text alone. */
export function readLine(args: Parameters<PinoLogger['warn']>): { fields: Fields; text: string } {
  const [first, second] = args as unknown[];
  if (typeof first === 'string') return { fields: {}, text: first };
  const fields = first instanceof Error ? { err: first } : ((first ?? {}) as Fields);
  return { fields, text: typeof second === 'string' ? second : '' };
}

const plural = (name: string): string => (name === 'address' ? 'addresses' : `${name}s`);
