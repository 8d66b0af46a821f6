import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { endOperatorSession, isOperatorSessionEnded } from '../../database/operator-sessions.ts';
import type { Sealer } from '../../installations/sealer.ts';

/**
 * Why sealed and not stored: any replica that has the keyring can open a session, and a restart ends none. A sealed
 * session cannot be ended early, so a logout is stored until the session expires, and every replica looks for it at
 * each request. Each session is also bound to the password under which it began: changing the password ends them all.
 */

/** How long an operator stays logged in. */
export const sessionLifetimeMs = 12 * 3_600_000;

/** A session that is idle for this long has ended. */
export const sessionIdleMs = 30 * 60_000;
/** The cookie says when the session was last used, and is written again this often. */
const seenEveryMs = 60_000;

/** An operator's session. */
export interface OperatorSession {
  id: string;
  issuedAt: number;
  /** When it was last used, to the minute. */
  seenAt: number;
  /** Every form of this session carries it. */
  csrfToken: string;
}

const sealedSchema = z.object({
  id: z.string(),
  issuedAt: z.number(),
  seenAt: z.number(),
  csrfToken: z.string(),
  passwordMark: z.string(),
});

const place = 'operator-session';

/**
 * A browser in which the right password was entered once may still try while strangers guess from many addresses. Its
 * cookie is sealed, and says nothing else.
 */
const browserSchema = z.object({ id: z.string(), since: z.number(), passwordMark: z.string() });
const browserPlace = 'operator-browser';
const browserKnownMs = 90 * 24 * 3_600_000;

/** Makes the sessions of the operator's pages. `sealer` is made only for this purpose. */
export function createOperatorSessions(deps: {
  sealer: Sealer;
  password: string;
  database: Pick<Database, 'queries' | 'write'>;
  /** Whether browsers reach us over https. */
  secure: boolean;
  now: () => number;
}) {
  const { sealer, password, database, secure, now } = deps;
  const name = `${secure ? '__Host-' : ''}foyer-operator`;
  const passwordHash = createHash('sha256').update(password).digest();
  const passwordMark = createHash('sha256')
    .update('operator session')
    .update(passwordHash)
    .digest('base64url');

  const browserName = `${name}-browser`;
  const cookie = (value: string, maxAge: number, cookieName = name): string =>
    stringifySetCookie({
      name: cookieName,
      value,
      maxAge,
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure,
    });

  function sessionCookie(session: OperatorSession): string {
    const leftMs = session.issuedAt + sessionLifetimeMs - now();
    const sealed = sealer.seal(JSON.stringify({ ...session, passwordMark }), place);
    return cookie(sealed, Math.max(1, Math.floor(leftMs / 1000)));
  }

  return {
    /** Whether it is the password; the time that the check takes reveals nothing about it. */
    isPassword(given: string): boolean {
      return timingSafeEqual(createHash('sha256').update(given).digest(), passwordHash);
    },

    /** Marks this browser as one that knew the password; returns its Set-Cookie header. */
    rememberBrowser(): string {
      const known = { id: randomBytes(16).toString('base64url'), since: now(), passwordMark };
      return cookie(sealer.seal(JSON.stringify(known), browserPlace), browserKnownMs / 1000, browserName);
    },

    /** The id of a browser that knew the password within the last 90 days; undefined for any other. */
    knownBrowser(cookieHeader: string | undefined): string | undefined {
      const sealed = parseCookie(cookieHeader ?? '')[browserName];
      const known = sealed === undefined ? undefined : open(sealer, sealed, browserPlace, browserSchema);
      if (!known || !sameText(known.passwordMark, passwordMark)) return undefined;
      return now() - known.since < browserKnownMs ? known.id : undefined;
    },

    /** Begins a session; returns its Set-Cookie header. */
    begin(): string {
      const id = randomBytes(16).toString('base64url');
      const csrfToken = randomBytes(16).toString('base64url');
      return sessionCookie({ id, csrfToken, issuedAt: now(), seenAt: now() });
    },

    /** Records that a session is in use; returns its Set-Cookie header, or undefined if it was recorded just now. */
    keep(session: OperatorSession): string | undefined {
      if (now() - session.seenAt < seenEveryMs) return undefined;
      return sessionCookie({ ...session, seenAt: now() });
    },

    /** The session of a request, or undefined if there is no valid one. @throws DatabaseUnavailableError */
    async read(cookieHeader: string | undefined): Promise<OperatorSession | undefined> {
      const sealed = parseCookie(cookieHeader ?? '')[name];
      const session = sealed === undefined ? undefined : open(sealer, sealed, place, sealedSchema);
      if (!session || !sameText(session.passwordMark, passwordMark)) return undefined;
      const age = now() - session.issuedAt;
      // Our clock may be slightly behind that of the replica that began the session: that does not end it.
      if (age >= sessionLifetimeMs || age < -60_000) return undefined;
      if (now() - session.seenAt >= sessionIdleMs) return undefined;
      // This comes last, so that only a valid session makes the database work.
      if (await isOperatorSessionEnded(database.queries, session.id)) return undefined;
      const { id, issuedAt, seenAt, csrfToken } = session;
      return { id, issuedAt, seenAt, csrfToken };
    },

    /** Ends a session everywhere; returns the header that removes its cookie. @throws DatabaseUnavailableError */
    async end({ id, issuedAt }: OperatorSession): Promise<string> {
      const lapsesAt = issuedAt + sessionLifetimeMs;
      await database.write((transaction) => endOperatorSession(transaction, { id, lapsesAt, now: now() }));
      return cookie('', 0);
    },
  };
}

export type OperatorSessions = ReturnType<typeof createOperatorSessions>;

/** Whether a form was made for this session. */
export function isFormOf(session: OperatorSession, form: URLSearchParams): boolean {
  return sameText(form.get('csrf') ?? '', session.csrfToken);
}

function open<Content>(
  sealer: Sealer,
  sealed: string,
  at: string,
  schema: z.ZodType<Content>,
): Content | undefined {
  if (sealed.length > 2000) return undefined;
  try {
    return schema.parse(JSON.parse(sealer.open(sealed, at)));
  } catch {
    // Only we can make a valid one, so any error means that it is not ours.
    return undefined;
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
