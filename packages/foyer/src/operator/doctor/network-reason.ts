const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection: nothing listens there',
  ECONNRESET: 'closed the connection',
  UND_ERR_SOCKET: 'closed the connection',
  ENOTFOUND: 'has a host name that DNS does not know',
  EAI_AGAIN: 'has a host name that DNS cannot resolve at the moment',
  EHOSTUNREACH: 'cannot be reached from here',
  ENETUNREACH: 'cannot be reached from here',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a self-signed certificate, which this machine does not trust',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a self-signed certificate, which this machine does not trust',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate whose chain is incomplete',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for a different host name',
};

/** Says why a request failed, as the end of a sentence that begins with the request's URL. */
export function networkReason(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at.name === 'TimeoutError' || at.name === 'AbortError') return 'does not answer in time';
    const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
    const known = reasons[code];
    if (known !== undefined) return known;
    if (/TIMEDOUT|TIMEOUT/.test(code)) return 'does not answer in time';
  }
  return 'could not be reached';
}
