import { invalidArguments, Refusal } from './refusal.ts';

/** The arguments of one Web API call, whether they came as a form or as JSON. */
export function createCallArguments(all: Record<string, unknown>) {
  /** An argument as a string; undefined if it was not sent. */
  function text(name: string): string | undefined {
    const value = all[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : JSON.stringify(value);
  }
  return {
    all,
    text,
    /** A required, non-empty string. Throws `invalid_arguments`. */
    required(name: string): string {
      const value = text(name);
      if (!value) throw invalidArguments([`[ERROR] missing required field: ${name}`]);
      return value;
    },
    flag: (name: string): boolean => ['1', 'true', 't', 'yes'].includes(text(name) ?? ''),
    number(name: string): number | undefined {
      const value = text(name);
      if (value === undefined || value === '') return undefined;
      if (!Number.isFinite(Number(value)))
        throw invalidArguments([`[ERROR] must be a number [json-pointer:/${name}]`]);
      return Number(value);
    },
    /**
     * Returns an argument that is an object or array. If it arrived as a string, parses the string as JSON. Throws the
     * refusal `code` if the JSON is invalid.
     */
    json(name: string, code = 'invalid_arguments'): unknown {
      const value = all[name];
      if (typeof value !== 'string') return value ?? undefined;
      if (value === '') return undefined;
      try {
        return JSON.parse(value) as unknown;
      } catch {
        throw new Refusal(code);
      }
    },
  };
}

export type CallArguments = ReturnType<typeof createCallArguments>;

/**
 * Reads the arguments from the query and the body (a form or JSON). The body overrides the query. Throws
 * `invalid_json`, `json_not_object`.
 */
export function readArguments(
  query: URLSearchParams,
  contentType: string,
  body: string,
): Record<string, unknown> {
  const fromQuery = Object.fromEntries(query);
  if (body === '') return fromQuery;
  if (!contentType.startsWith('application/json')) {
    return { ...fromQuery, ...Object.fromEntries(new URLSearchParams(body)) };
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new Refusal('invalid_json');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new Refusal('json_not_object');
  return { ...fromQuery, ...parsed };
}
