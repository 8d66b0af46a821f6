/** Thrown by a method to answer `ok: false`. `code` is Slack's error name. The answer also contains `fields`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  readonly fields: Record<string, unknown>;

  constructor(code: string, fields: Record<string, unknown> = {}) {
    super(code);
    this.code = code;
    this.fields = fields;
  }
}

/** Slack's answer to arguments of the wrong shape, with a message for each. */
export function invalidArguments(messages: string[], code = 'invalid_arguments'): Refusal {
  return new Refusal(code, { response_metadata: { messages } });
}
