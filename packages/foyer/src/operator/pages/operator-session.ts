import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import type { Sealer } from '../../installations/sealer.ts';
import type { Sessions } from '../../signin/sessions.ts';

/**
 * An operator is someone who has entered the password, or who has signed in with Slack and is listed in
 * OPERATOR_SLACK_USERS. A session that began with the password ends when the password changes. A session that began
 * with Slack ends when the person is removed from the list.
 */

/** How recent a sign-in with Slack must be for an action that cannot be undone. */
export const freshSignInMs = 5 * 60_000;

/** An operator's session. */
export interface OperatorSession {
  id: string;
  issuedAt: number;
  /** A secret value that every form of this session contains. */
  csrfToken: string;
  /** The person who signed in with Slack; null if the session began with the password. */
  person: { teamId: string; userId: string } | null;
}

/**
 * The content of a browser's sealed cookie. If someone entered the current password in that browser within the last 90
 * days, the browser may log in even while strangers guess passwords from many addresses.
 */
const browserSchema = z.object({ id: z.string(), since: z.number(), passwordMark: z.string() });
const browserPlace = 'operator-browser';
const browserKnownMs = 90 * 24 * 3_600_000;

/**
 * Creates the sessions of the operator's pages. `sealer` seals the cookie of a browser in which someone has entered the
 * password.
 */
export function createOperatorSessions(deps: {
  sessions: Sessions;
  sealer: Sealer;
  /** Undefined if operators can sign in only with Slack. */
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

    /** Returns whether this is the password. The duration of the check reveals nothing about the password. */
    isPassword(given: string): boolean {
      return passwordHash !== undefined && timingSafeEqual(sha256(given), passwordHash);
    },

    /** Returns the Set-Cookie header that marks a browser as one in which someone has entered the password. */
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

    /**
     * Returns the id of a browser in which someone entered the current password within the last 90 days; undefined for
     * any other browser.
     */
    knownBrowser(cookieHeader: string | undefined): string | undefined {
      const sealed = parseCookie(cookieHeader ?? '')[browserName];
      const known = sealed === undefined ? undefined : openBrowser(sealer, sealed);
      if (!known || passwordMark === undefined || !sameText(known.passwordMark, passwordMark))
        return undefined;
      return now() - known.since < browserKnownMs ? known.id : undefined;
    },

    /**
     * Begins the session of an operator who entered the password; resolves to its Set-Cookie header.
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
     * Finds the session of a request and records its use; resolves to undefined if there is no valid session.
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

    /** Ends the session of a request on every machine; resolves to the Set-Cookie header that removes its cookie. */
    end: sessions.end,
  };
}

/** Returns whether a form was made for this session. */
export function isFormOf(session: OperatorSession, form: URLSearchParams): boolean {
  return sameText(form.get('csrf') ?? '', session.csrfToken);
}

/**
 * Returns an operator's name for the log or the history: `T…/U…`, or the words `the password` (never the password
 * itself).
 */
export function operatorName({ person }: Pick<OperatorSession, 'person'>): string {
  return person ? `${person.teamId}/${person.userId}` : 'the password';
}

function openBrowser(sealer: Sealer, sealed: string): z.output<typeof browserSchema> | undefined {
  if (sealed.length > 2000) return undefined;
  try {
    return browserSchema.parse(JSON.parse(sealer.open(sealed, browserPlace)));
  } catch {
    // Any error means that Foyer did not make this cookie, or no longer has the key that sealed it.
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
