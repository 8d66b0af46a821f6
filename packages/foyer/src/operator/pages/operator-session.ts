import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import type { Sealer } from '../../installations/sealer.ts';
import type { Sessions } from '../../signin/sessions.ts';

/**
 * An operator has entered the password, or has signed in with Slack and is on the list of OPERATOR_SLACK_USERS. A
 * session that began with the password ends when the password changes; one that began with Slack ends when the person
 * is removed from the list.
 */

/** How recent a sign-in with Slack must be for an action that cannot be undone. */
export const freshSignInMs = 5 * 60_000;

/** An operator's session. */
export interface OperatorSession {
  id: string;
  issuedAt: number;
  /** A value that every form of this session contains. */
  csrfToken: string;
  /** Who signed in with Slack; null if the session began with the password. */
  person: { teamId: string; userId: string } | null;
}

/**
 * A browser in which someone entered the current password within 90 days may still log in while strangers guess from
 * many addresses. The browser has a sealed cookie that holds only these values.
 */
const browserSchema = z.object({ id: z.string(), since: z.number(), passwordMark: z.string() });
const browserPlace = 'operator-browser';
const browserKnownMs = 90 * 24 * 3_600_000;

/** Creates the sessions of the operator's pages. `sealer` seals the cookie of a browser that knew the password. */
export function createOperatorSessions(deps: {
  sessions: Sessions;
  sealer: Sealer;
  /** Undefined if operators only sign in with Slack. */
  password: string | undefined;
  /** The people who may sign in with Slack: `T…/U…`. */
  people: readonly string[];
  database: Pick<Database, 'write'>;
  /** Whether browsers reach Foyer over https. */
  secure: boolean;
  now: () => number;
}) {
  const { sessions, sealer, password, people, database, secure, now } = deps;
  const passwordHash = password === undefined ? undefined : sha256(password);
  const passwordMark =
    passwordHash && createHash('sha256').update('operator session').update(passwordHash).digest('base64url');
  const browserName = `${secure ? '__Host-' : ''}foyer-operator-browser`;

  return {
    hasPassword: password !== undefined,
    /** Whether operators can sign in with Slack. */
    hasPeople: people.length > 0,

    /** Returns whether this is the password; the time that the check takes reveals nothing about it. */
    isPassword(given: string): boolean {
      return passwordHash !== undefined && timingSafeEqual(sha256(given), passwordHash);
    },

    /** Marks this browser as one that knew the password; returns its Set-Cookie header. */
    rememberBrowser(): string {
      const known = { id: randomBytes(16).toString('base64url'), since: now(), passwordMark };
      return stringifySetCookie({
        name: browserName,
        value: sealer.seal(JSON.stringify(known), browserPlace),
        maxAge: browserKnownMs / 1000,
        path: '/',
        httpOnly: true,
        sameSite: 'lax',
        secure,
      });
    },

    /** Returns the id of a browser that knew the password within the last 90 days; undefined for any other. */
    knownBrowser(cookieHeader: string | undefined): string | undefined {
      const sealed = parseCookie(cookieHeader ?? '')[browserName];
      const known = sealed === undefined ? undefined : openBrowser(sealer, sealed);
      if (!known || passwordMark === undefined || !sameText(known.passwordMark, passwordMark))
        return undefined;
      return now() - known.since < browserKnownMs ? known.id : undefined;
    },

    /**
     * Begins the session of an operator who entered the password; returns its Set-Cookie header.
     * @throws DatabaseUnavailableError
     */
    begin(visit: {
      cookieHeader: string | undefined;
      browser: string | undefined;
      address: string;
    }): Promise<string> {
      const { cookieHeader, browser, address } = visit;
      const nobody = {
        installation_id: null,
        life: null,
        registered_team_id: null,
        team_id: null,
        enterprise_id: null,
        user_id: null,
        slack_signed_at: null,
        checked_at: null,
      };
      const place = { browser: browser?.slice(0, 200) ?? null, address };
      return database.write((tx) =>
        sessions.begin(tx, { ...nobody, ...place, cookieHeader, mark: passwordMark }),
      );
    },

    /**
     * Returns the session of a request and records its use; undefined if there is no valid one.
     * @throws DatabaseUnavailableError
     */
    async read(cookieHeader: string | undefined): Promise<OperatorSession | undefined> {
      const session = await sessions.read(cookieHeader);
      if (!session) return undefined;
      const { row, csrfToken, mark } = session;
      const { id, began_at: issuedAt, team_id: teamId, user_id: userId } = row;
      const person = teamId === null || userId === null ? null : { teamId, userId };
      const isStillOperator = person
        ? people.includes(`${person.teamId}/${person.userId}`)
        : passwordMark !== undefined && sameText(mark, passwordMark);
      if (!isStillOperator) return undefined;
      await sessions.keep(session);
      return { id, issuedAt, csrfToken, person };
    },

    /** Ends the session of a request on every machine; returns the header that removes its cookie. */
    end: sessions.end,
  };
}

/** Returns whether a form was made for this session. */
export function isFormOf(session: OperatorSession, form: URLSearchParams): boolean {
  return sameText(form.get('csrf') ?? '', session.csrfToken);
}

/** Names an operator for a log or a history: `T…/U…`, or the words `the password`; never the password itself. */
export function operatorName({ person }: Pick<OperatorSession, 'person'>): string {
  return person ? `${person.teamId}/${person.userId}` : 'the password';
}

function openBrowser(sealer: Sealer, sealed: string): z.output<typeof browserSchema> | undefined {
  if (sealed.length > 2000) return undefined;
  try {
    return browserSchema.parse(JSON.parse(sealer.open(sealed, browserPlace)));
  } catch {
    // Only Foyer can create a valid cookie, so any error means that the cookie is not ours.
    return undefined;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
