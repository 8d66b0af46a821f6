import { randomBytes } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { z } from 'zod';
import type { Database, Tx } from '../database/database.ts';
import type { SessionKind, SessionRow } from '../database/records.ts';
import {
  beginSession,
  endSession,
  readSession,
  sessionUnusedMs,
  touchSession,
} from '../database/sessions.ts';
import type { Sealer } from '../installations/sealer.ts';

/**
 * Sessions of members and of operators. The cookie contains the session's id, sealed. The database row says whose
 * session it is and when it was last used. So Foyer can list the sessions, and end one on every machine.
 */

/** What a session's cookie contains, sealed. */
interface SessionSecrets {
  id: string;
  /** A value that every form of this session contains. */
  csrfToken: string;
  /** A value that the caller adds and checks later, such as a hash of the operator password; empty by default. */
  mark: string;
}

/** A valid session. */
export interface Session extends SessionSecrets {
  row: SessionRow;
}

const sealedSchema = z.object({ id: z.string(), csrfToken: z.string(), mark: z.string() });

/** The fields that the caller provides for a new session: the person, the installation, and the browser. */
type NewSession = Pick<
  SessionRow,
  | 'installation_id'
  | 'life'
  | 'registered_team_id'
  | 'team_id'
  | 'enterprise_id'
  | 'user_id'
  | 'slack_signed_at'
  | 'checked_at'
  | 'browser'
  | 'address'
>;

/** The times of one kind of session, in milliseconds. */
interface SessionTimes {
  /** A session ends when it has not been used for this long. */
  idleMs: number;
  /** A session ends this long after it began, even if it is in use. */
  lifetimeMs: number;
  /** How often Foyer records that a session is in use. */
  seenEveryMs: number;
}

/** Creates the sessions of one kind. */
export function createSessions(deps: {
  kind: SessionKind;
  clientId: string;
  cookieName: string;
  times: SessionTimes;
  /** Seals the cookies of these sessions, and nothing else. */
  sealer: Sealer;
  database: Pick<Database, 'queries' | 'write'>;
  /** Whether browsers reach Foyer over https. */
  secure: boolean;
  now: () => number;
}) {
  const { kind, clientId, times, sealer, database, secure, now } = deps;
  const name = `${secure ? '__Host-' : ''}${deps.cookieName}`;
  const place = `session:${kind}`;

  const cookie = (value: string, maxAgeMs: number): string =>
    stringifySetCookie({
      name,
      value,
      maxAge: Math.floor(maxAgeMs / 1000),
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure,
    });

  function opened(cookieHeader: string | undefined): SessionSecrets | undefined {
    const sealed = parseCookie(cookieHeader ?? '')[name];
    if (sealed === undefined || sealed.length > 2000) return undefined;
    try {
      return sealedSchema.parse(JSON.parse(sealer.open(sealed, place)));
    } catch {
      // Any error means that Foyer did not make this cookie, or no longer has the key that sealed it.
      return undefined;
    }
  }

  return {
    /**
     * Begins a session and returns its Set-Cookie header. Ends the browser's previous session, and never uses its id
     * again: a stranger may have planted that session's cookie.
     */
    async begin(
      tx: Tx,
      session: NewSession & { mark?: string; cookieHeader: string | undefined },
    ): Promise<string> {
      const { mark = '', cookieHeader, ...about } = session;
      const before = opened(cookieHeader);
      if (before) await endSession(tx, { id: before.id, clientId, kind });
      const id = randomBytes(16).toString('base64url');
      const csrfToken = randomBytes(16).toString('base64url');
      await beginSession(tx, { ...about, id, client_id: clientId, kind, began_at: now(), seen_at: now() });
      return cookie(sealer.seal(JSON.stringify({ id, csrfToken, mark }), place), times.lifetimeMs);
    },

    /** Returns the session of a request; undefined if there is no valid one. @throws DatabaseUnavailableError */
    async read(cookieHeader: string | undefined): Promise<Session | undefined> {
      const secrets = opened(cookieHeader);
      const row = secrets && (await readSession(database.queries, { id: secrets.id, clientId, kind }));
      if (!row) return undefined;
      const age = now() - row.began_at;
      // This machine's clock may be up to a minute behind that of the machine that began the session.
      if (age >= times.lifetimeMs || age < -60_000) return undefined;
      if (now() - row.seen_at >= times.idleMs) return undefined;
      return { ...secrets, row };
    },

    /**
     * Records that a session is in use; does nothing if that was recorded recently.
     * @throws DatabaseUnavailableError
     */
    async keep({ row }: Session): Promise<void> {
      if (now() - row.seen_at < times.seenEveryMs) return;
      await touchSession(database.queries, { id: row.id, now: now() });
    },

    /** Ends the session of a request on every machine; returns the header that removes its cookie. */
    async end(cookieHeader: string | undefined): Promise<string> {
      const secrets = opened(cookieHeader);
      if (secrets) await database.write((tx) => endSession(tx, { id: secrets.id, clientId, kind }));
      return cookie('', 0);
    },
  };
}

export type Sessions = ReturnType<typeof createSessions>;

/**
 * A member's session ends after twelve hours without use, or thirty days after it began, so that a stolen cookie
 * expires.
 */
export const memberTimes: SessionTimes = {
  idleMs: sessionUnusedMs,
  lifetimeMs: 30 * 24 * 3_600_000,
  seenEveryMs: 5 * 60_000,
};

/** An operator's session ends after half an hour without use, or twelve hours after it began. */
export const operatorTimes: SessionTimes = {
  idleMs: 30 * 60_000,
  lifetimeMs: 12 * 3_600_000,
  seenEveryMs: 60_000,
};
