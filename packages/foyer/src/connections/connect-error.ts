/**
 * Thrown when connecting is off, or a link, a result or a claim is refused. The message is for the developer's log;
 * visitors see a page with its own text.
 */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly code:
    | 'connect_off'
    | 'link_invalid'
    | 'link_expired'
    | 'result_invalid'
    | 'result_expired'
    | 'claim_invalid'
    | 'claim_expired'
    | 'claim_used'
    | 'already_connected';
  constructor(code: ConnectError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
