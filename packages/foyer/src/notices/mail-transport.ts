import { createTransport } from 'nodemailer';

/** In milliseconds. If the server sends nothing for this long, the connection fails. A whole mail may take longer. */
const limits = {
  dnsTimeout: 4000,
  connectionTimeout: 4000,
  greetingTimeout: 4000,
  socketTimeout: 8000,
  socketCloseTimeout: 500,
};

/**
 * Opens a pool of one connection to an SMTP server (`smtp://user:password@host:587`, `smtps://…`); the pool connects on
 * first use. `smtp://` switches to TLS if the server offers it. If the URL contains a login, TLS is required: otherwise
 * an attacker who removes the offer from the connection could read the password. Exceptions: loopback, and a URL that
 * sets `requireTLS` itself. Close the pool when done.
 */
export function openMailTransport(smtpUrl: string) {
  const url = new URL(smtpUrl);
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const needsTls = url.protocol === 'smtp:' && url.username !== '' && !local;
  return createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 1,
    // If a connection closes midway, Foyer decides what happens. By default, the pool would resend the message
    // automatically.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(needsTls && !url.searchParams.has('requireTLS') && { requireTLS: true }),
    ...limits,
  });
}

/**
 * A failure to send through the mail server: its code (`smtp_451`, `tls_failed`, `timeout`), and whether a retry can
 * help.
 */
interface MailFailure {
  code: string;
  message: string;
  /** Whether the server has permanently refused this message or its addresses. */
  final: boolean;
}

/** Translates an error of the transport. Quotes nothing from the server: its answer may repeat what Foyer sent. */
export function mailFailure(error: unknown): MailFailure {
  const { code, responseCode } = errorFields(error);
  if (responseCode !== undefined && code !== 'EAUTH' && code !== 'ETLS') {
    const message = `The mail server answered with ${responseCode}`;
    const final = responseCode >= 500 && (code === 'EENVELOPE' || code === 'EMESSAGE');
    return { code: `smtp_${responseCode}`, message, final };
  }
  const known = code === undefined ? undefined : failures[code];
  return known ?? { code: 'mail_failed', message: 'The mail could not be sent', final: false };
}

/** Failures that are not about the message. None is final: each is temporary, or an operator can fix it. */
const failures: Readonly<Record<string, MailFailure>> = {
  EAUTH: failure('smtp_login_refused', 'The mail server refused the login in NOTIFY_SMTP_URL'),
  ENOAUTH: failure('smtp_login_refused', 'The mail server requires a login: add one to NOTIFY_SMTP_URL'),
  ETLS: failure('tls_failed', 'A TLS connection to the mail server could not be established'),
  EDNS: failure('host_unknown', 'The mail server’s name could not be resolved'),
  ESOCKET: failure(
    'connection_failed',
    'The mail server could not be reached, or its certificate is not valid',
  ),
  ECONNECTION: failure('connection_failed', 'The connection to the mail server failed'),
  ETIMEDOUT: failure('timeout', 'The mail server did not answer in time'),
  EABORT: failure('interrupted', 'Sending was interrupted'),
};

function failure(code: string, message: string): MailFailure {
  return { code, message, final: false };
}

function errorFields(error: unknown): { code: string | undefined; responseCode: number | undefined } {
  const { code, responseCode } = (error ?? {}) as { code?: unknown; responseCode?: unknown };
  return {
    code: typeof code === 'string' ? code : undefined,
    responseCode: typeof responseCode === 'number' && responseCode >= 400 ? responseCode : undefined,
  };
}
