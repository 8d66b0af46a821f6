/** Collects the problems of a payload, each with its place, in Slack's words: `must be … [json-pointer:/blocks/0]`. */
export function createFaultList() {
  const messages: string[] = [];
  const add = (pointer: string, message: string) => {
    messages.push(`[ERROR] ${message} [json-pointer:${pointer}]`);
  };
  return {
    messages,
    add,
    /**
     * Checks for a string of at most `max` characters. Without `mayBeEmpty`, an empty string is a problem. With
     * `required`, a missing value is a problem.
     */
    text(value: unknown, pointer: string, max: number, options: TextOptions = {}): void {
      const { required = false, mayBeEmpty = false } = options;
      if (value === undefined || value === null) {
        if (required)
          add(pointer.slice(0, pointer.lastIndexOf('/')), `missing required field: ${lastPart(pointer)}`);
      } else if (typeof value !== 'string') add(pointer, 'must be a string');
      else if (value.length > max) add(pointer, `must be less than ${max + 1} characters`);
      else if (value.length === 0 && !mayBeEmpty) add(pointer, 'must be more than 0 characters');
    },
    /** Checks for an array of `min` to `max` items. Returns the array, or an empty one if `value` is not an array. */
    list(value: unknown, pointer: string, min: number, max: number): unknown[] {
      if (!Array.isArray(value)) {
        add(pointer.slice(0, pointer.lastIndexOf('/')), `missing required field: ${lastPart(pointer)}`);
        return [];
      }
      if (value.length < min) add(pointer, `no less than ${min} items allowed`);
      if (value.length > max) add(pointer, `no more than ${max} items allowed`);
      return value;
    },
  };
}

export type FaultList = ReturnType<typeof createFaultList>;

type TextOptions = { required?: boolean; mayBeEmpty?: boolean };

function lastPart(pointer: string): string {
  return pointer.slice(pointer.lastIndexOf('/') + 1);
}

/** Whether a JSON value is an object, not an array or null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
