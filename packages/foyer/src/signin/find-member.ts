import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { saveProfile, updatePerson } from '../database/people/people.ts';
import { claimCheck, endSessionsOf, readSignedIn, type SignedIn } from '../database/sessions.ts';
import { blankProfile } from '../slack/slack-text.ts';
import type { FoundPerson, LookUpPerson } from './look-up-person.ts';
import type { Sessions } from './sessions.ts';

/** How often Foyer asks Slack whether a session's person is still active, and how soon again after a failure. */
const checkEveryMs = 24 * 3_600_000;
const checkAgainMs = 3_600_000;

/** A person who has signed in with Slack. A value is null if they did not share it, or Slack has none. */
export interface SignedInMember {
  /** Unique only together with the workspace: use both as the key of your own rows. */
  userId: string;
  /** The workspace where they signed in. */
  teamId: string;
  enterpriseId: string | null;
  /** Foyer's id of the installation, for `foyer.slack({ installationId })`. */
  installationId: string;
  name: string | null;
  /** Null if Slack sent no address, or only an unverified one. */
  email: string | null;
  /** Such as `Europe/Berlin`; null until the bot has read it, which needs `users:read`. */
  timezone: string | null;
  locale: string | null;
  avatarUrl: string | null;
  role: 'owner' | 'admin' | 'member' | 'guest';
  signedInAt: Date;
}

/** A request of `node:http`, Express or Fastify, or a web-standard one. */
export interface RequestWithCookies {
  readonly headers: IncomingHttpHeaders | Headers;
}

/** Creates `foyer.member`. */
export function createFindMember(deps: {
  sessions: Sessions;
  database: Database;
  lookUpPerson: LookUpPerson;
  now: () => number;
  log: Logger;
}) {
  const { sessions, database, lookUpPerson, now, log } = deps;

  /**
   * Asks Slack about the person if the last answer is at least a day old. After a failed call, asks again after an hour
   * at the earliest. Resolves to undefined if it is too early to ask, if another request is already asking, or if the
   * call failed.
   */
  async function lookAgain(signedIn: SignedIn): Promise<FoundPerson | undefined> {
    const { id, checked_at: before, began_at: begunAt, user_id: userId } = signedIn.session;
    if (now() - (before ?? begunAt) < checkEveryMs || userId === null) return undefined;
    const at = now();
    if (!(await claimCheck(database.queries, { id, before, now: at }))) return undefined;
    const found = await lookUpPerson(signedIn.installation, userId);
    if (found) return found;
    await claimCheck(database.queries, { id, before: at, now: at - checkEveryMs + checkAgainMs });
    return undefined;
  }

  async function signOutDeactivated(person: SignedIn['person']): Promise<void> {
    const { teamId, userId } = person;
    const gone = { isAdmin: false, isOwner: false, isDeactivated: true, at: now(), now: now() };
    await database.write(async (tx) => {
      await updatePerson(tx, { ...person, ...blankProfile, ...gone });
      await endSessionsOf(tx, person);
    });
    log.info({ teamId, userId }, 'a deactivated member was signed out');
  }

  return async function findMember(req: RequestWithCookies): Promise<SignedInMember | undefined> {
    const { headers } = req;
    const cookie = headers instanceof Headers ? (headers.get('cookie') ?? undefined) : headers.cookie;
    const session = await sessions.read(cookie);
    const signedIn = session && (await readSignedIn(database.queries, session.row));
    if (!session || !signedIn) return undefined;
    const found = await lookAgain(signedIn);
    if (found?.kind === 'gone') {
      await signOutDeactivated(signedIn.person);
      return undefined;
    }
    await sessions.keep(session);
    if (!found) return memberOf(signedIn);
    const { profile, isAdmin, isOwner, isGuest } = found;
    const user = { ...profile, isAdmin, isOwner, isGuest };
    await database.write((tx) => saveProfile(tx, { ...signedIn.person, now: now() }, { user, team: null }));
    const current = await readSignedIn(database.queries, session.row);
    return current && memberOf(current);
  };
}

function memberOf({ session, person, profile, installation }: SignedIn): SignedInMember {
  const { isOwner, isAdmin, isGuest } = profile;
  return {
    userId: person.userId,
    teamId: session.team_id ?? person.teamId,
    enterpriseId: session.enterprise_id,
    installationId: installation.id,
    name: profile.realName ?? profile.name,
    email: profile.email,
    timezone: profile.timezone,
    locale: profile.locale,
    avatarUrl: profile.avatarUrl,
    role: isOwner ? 'owner' : isAdmin ? 'admin' : isGuest ? 'guest' : 'member',
    signedInAt: new Date(session.began_at),
  };
}
