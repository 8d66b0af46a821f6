import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import { type Logger, logAttempt } from '../config/log.ts';
import type { Database, Tx } from '../database/database.ts';
import { registeredTeamId } from '../database/install-record.ts';
import { recordUser, saveProfile, updatePerson } from '../database/people/people.ts';
import { findSignInInstallation, type SignInInstallation, spendState } from '../database/sessions.ts';
import { recordTeam } from '../database/teams.ts';
import { clientAddress } from '../http/bound-connections.ts';
import type { FailureKind } from '../http/pages/failure-texts.ts';
import { isFromHere } from '../http/read-form.ts';
import { leadTo } from '../http/request-handler.ts';
import type { SendPages } from '../http/send-pages.ts';
import { type createBoundStates, stateLifetimeMs } from '../install/state.ts';
import type { FoundPerson, LookUpPerson } from './look-up-person.ts';
import { type OpenId, SignInError, type SlackIdentity } from './openid.ts';
import { returnAddress } from './return-address.ts';
import type { Sessions } from './sessions.ts';

/** The routes of Sign in with Slack. The callback calls Slack only after the state is verified and used up. */

/** What the state of a sign-in contains, sealed. */
export const signInContent = z.object({
  nonce: z.string(),
  verifier: z.string().optional(),
  /** A whole address that `returnAddress` accepted. */
  returnTo: z.string(),
});
type SignInContent = z.output<typeof signInContent>;

/** Thrown within the transaction if the workspace has no active installation. */
class NotInstalledError extends Error {
  override readonly name = 'NotInstalledError';
}

/**
 * How a sign-in ended. refused: Foyer did not accept the request, or the person may not sign in. unverified: the
 * sign-in failed in a way that any stranger can cause, by an `error=` in the address or by a code that Slack rejects.
 */
type SignInOutcome = 'signed_in' | 'cancelled' | 'refused' | 'unverified' | 'failed';

/**
 * The outcome that `fail` reports for each kind of failure, unless the caller passes another. A kind that is not listed
 * counts as `failed`.
 */
const outcomes: ReadonlyMap<FailureKind, SignInOutcome> = new Map([
  ['signin_cancelled', 'cancelled'],
  ['signin_return', 'refused'],
  ['signin_state', 'refused'],
  ['signin_refused', 'refused'],
  ['signin_not_installed', 'refused'],
  ['signin_not_operator', 'refused'],
]);

const spendPatienceMs = 1500;
const storePatienceMs = 2000;

export interface SignInDeps {
  config: Pick<Config, 'slack' | 'http'> & { signIn: NonNullable<Config['signIn']> };
  database: Pick<Database, 'queries' | 'write'>;
  openId: OpenId;
  states: ReturnType<typeof createBoundStates<SignInContent>>;
  sessions: Sessions;
  /** The people who may use the operator pages, and their sessions; undefined if no one may. */
  operators?: { people: readonly string[]; sessions: Sessions };
  lookUpPerson: LookUpPerson;
  pages: Pick<SendPages, 'sendFailure' | 'sendSignedOut'>;
  /** Called when a callback has signed someone in. Must not throw. */
  onSignedIn?(req: IncomingMessage): void;
  /** Called once when a sign-in has ended. Must not throw. */
  onEnded?(outcome: SignInOutcome): void;
  now: () => number;
  log: Logger;
}

/** Creates the handlers of `/slack/signin`, `/slack/signin/callback` and `/slack/signout`. */
export function createSignIn(deps: SignInDeps) {
  const { config, database, openId, states, sessions, operators, pages, now, log } = deps;
  const { clientId } = config.slack;
  const { publicUrl, basePath, baseUrl, trustProxy } = config.http;
  const allowed = { publicUrl, returnOrigins: config.signIn.returnOrigins };

  function fail(
    res: ServerResponse,
    failure: { kind: FailureKind; code: string; status?: number; teamId?: string },
    attempt: { requestId?: string; returnTo?: string } = {},
    outcome = outcomes.get(failure.kind) ?? 'failed',
  ): void {
    const { requestId, returnTo } = attempt;
    deps.onEnded?.(outcome);
    // If Foyer did not seal the state, a stranger may have chosen the code: then the log gets the kind, not the code.
    const code = requestId === undefined ? failure.kind : failure.code;
    logAttempt(log, { requestId, kind: failure.kind, code }, 'a sign-in was not finished');
    const query = returnTo === undefined ? '' : `?${new URLSearchParams({ return_to: returnTo })}`;
    pages.sendFailure(res, { ...failure, requestId, path: `${basePath}/slack/signin${query}` });
  }

  /** `GET /slack/signin`: redirects to Slack with a new state. Writes nothing. */
  async function start(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const asked = queryOf(req).get('return_to');
    const returnTo = asked === null ? `${baseUrl}/` : returnAddress(asked, allowed);
    if (returnTo === undefined) return fail(res, { kind: 'signin_return', code: 'return_to_refused' });
    try {
      const secrets = await openId.secrets();
      const { state, cookies } = states.issue({ ...secrets, returnTo }, req.headers.cookie);
      leadTo(res, 302, await openId.authorizationUrl(state, secrets), cookies);
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      failAtSlack(res, error, { returnTo });
    }
  }

  /** `GET /slack/signin/callback`. */
  async function finish(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      await answerCallback(req, res);
    } catch (error) {
      // The database is down, or this is a bug: the caller sends the failure page.
      deps.onEnded?.('failed');
      throw error;
    }
  }

  async function answerCallback(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const query = queryOf(req);
    const state = query.get('state');
    const verdict = states.judge(state, req.headers.cookie);
    const requestId = verdict.content?.id;
    // A stranger's browser must not learn where the sign-in would have led.
    const isOwnBrowser = verdict.ok || verdict.fault === 'state_expired';
    const returnTo = isOwnBrowser ? verdict.content?.returnTo : undefined;
    const attempt = { requestId, returnTo };
    const error = query.get('error');
    if (error !== null) return failAtConsent(res, error, attempt);
    if (!verdict.ok || state === null)
      return fail(res, { kind: 'signin_state', code: verdict.ok ? 'state_missing' : verdict.fault }, attempt);
    // If there were two `code` values, this check might read one of them, and the library the other.
    if (query.getAll('code').length !== 1 || !query.get('code') || query.getAll('state').length !== 1)
      return fail(res, { kind: 'signin_state', code: 'code_missing' }, attempt);
    const { id, issuedAt } = verdict.content;
    const used = { id, expiresAt: issuedAt + stateLifetimeMs, now: now() };
    if (!(await database.write((tx) => spendState(tx, used), spendPatienceMs)))
      return fail(res, { kind: 'signin_state', code: 'state_used' }, attempt);
    let identity: SlackIdentity;
    try {
      identity = await openId.identify(query, state, verdict.content);
    } catch (cause) {
      if (!(cause instanceof SignInError)) throw cause;
      return failAtSlack(res, cause, attempt);
    }
    await (isOperatorPage(verdict.content.returnTo)
      ? beginOperator(req, res, identity, { requestId: id, returnTo: verdict.content.returnTo })
      : beginMember(req, res, identity, { requestId: id, returnTo: verdict.content.returnTo }));
  }

  interface Attempt {
    requestId: string;
    returnTo: string;
  }

  /** Registers the person and begins their session, in one transaction. */
  async function beginMember(
    req: IncomingMessage,
    res: ServerResponse,
    identity: SlackIdentity,
    attempt: Attempt,
  ): Promise<void> {
    const { teamId, enterpriseId, userId } = identity;
    const place = { clientId, teamId, enterpriseId };
    const notInstalled = (): void =>
      fail(res, { kind: 'signin_not_installed', code: 'not_installed', teamId }, attempt);
    const installation = await findSignInInstallation(database.queries, place);
    if (!installation) return notInstalled();
    const found = await deps.lookUpPerson(installation, userId);
    if (found?.kind === 'gone')
      return fail(res, { kind: 'signin_refused', code: 'user_deactivated' }, attempt);
    const cookieHeader = req.headers.cookie;
    let cookie: string;
    try {
      cookie = await database.write(async (tx) => {
        // Looks again, with a lock: someone may have uninstalled the app since the first look.
        const locked = await findSignInInstallation(tx, place);
        if (!locked) throw new NotInstalledError();
        await register(tx, locked, identity, found, now());
        return sessions.begin(tx, {
          ...personOf(identity),
          installation_id: locked.id,
          life: locked.life,
          registered_team_id: registeredTeamId(locked),
          checked_at: found ? now() : null,
          browser: null,
          address: null,
          cookieHeader,
        });
      }, storePatienceMs);
    } catch (error) {
      if (!(error instanceof NotInstalledError)) throw error;
      return notInstalled();
    }
    log.info({ teamId, userId, requestId: attempt.requestId }, 'a member signed in');
    deps.onSignedIn?.(req);
    deps.onEnded?.('signed_in');
    leadTo(res, 303, attempt.returnTo, [cookie]);
  }

  /** Begins an operator's session. No installation is needed: an operator may sign in to find out why there is none. */
  async function beginOperator(
    req: IncomingMessage,
    res: ServerResponse,
    identity: SlackIdentity,
    attempt: Attempt,
  ): Promise<void> {
    const { teamId, userId } = identity;
    if (!operators?.people.includes(`${teamId}/${userId}`))
      return fail(res, { kind: 'signin_not_operator', code: 'not_an_operator' }, attempt);
    const address = clientAddress(req, trustProxy);
    const cookie = await database.write(
      (tx) =>
        operators.sessions.begin(tx, {
          ...personOf(identity),
          installation_id: null,
          life: null,
          registered_team_id: teamId,
          checked_at: null,
          browser: req.headers['user-agent']?.slice(0, 200) ?? null,
          address,
          cookieHeader: req.headers.cookie,
        }),
      storePatienceMs,
    );
    log.info(
      { teamId, userId, address, requestId: attempt.requestId },
      'an operator has signed in with Slack',
    );
    deps.onSignedIn?.(req);
    deps.onEnded?.('signed_in');
    leadTo(res, 303, attempt.returnTo, [cookie]);
  }

  function isOperatorPage(returnTo: string): boolean {
    const { origin, pathname } = new URL(returnTo);
    const path = pathname.slice(basePath.length);
    return origin === publicUrl && pathname.startsWith(basePath) && /^\/operator(?:\/|$)/.test(path);
  }

  /** Handles `error=` in Slack's redirect. Anyone can add it to the address, so the outcome is never `failed`. */
  function failAtConsent(res: ServerResponse, error: string, attempt: { requestId?: string }): void {
    const code = /^[a-z0-9_]{1,60}$/.test(error) ? error : 'unknown_error';
    const kinds: ReadonlyMap<string, FailureKind> = new Map([
      ['access_denied', 'signin_cancelled'],
      ['server_error', 'signin_unreachable'],
      ['temporarily_unavailable', 'signin_unreachable'],
    ]);
    const kind = kinds.get(code) ?? 'signin_refused';
    fail(res, { kind, code }, attempt, kind === 'signin_cancelled' ? 'cancelled' : 'unverified');
  }

  function failAtSlack(res: ServerResponse, error: SignInError, attempt: Partial<Attempt>): void {
    const { code, reason } = error;
    if (code !== 'code_invalid')
      log.warn({ code, reason, requestId: attempt.requestId }, 'a sign-in with Slack failed');
    const kind = (
      {
        unreachable: 'signin_unreachable',
        code_invalid: 'signin_state',
        misconfigured: 'signin_misconfigured',
        untrusted: 'signin_untrusted',
      } as const
    )[code];
    fail(res, { kind, code: reason }, attempt, code === 'code_invalid' ? 'unverified' : 'failed');
  }

  /** `POST /slack/signout`. Only a page of this origin may sign a member out. */
  async function signOut(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!isFromHere(req.headers, publicUrl)) {
      const failure = { kind: 'signout_refused', code: 'not_from_here' } as const;
      return pages.sendFailure(res, failure, { Connection: 'close' });
    }
    const cookie = await sessions.end(req.headers.cookie);
    const asked = queryOf(req).get('return_to');
    const returnTo = asked === null ? undefined : returnAddress(asked, allowed);
    if (returnTo === undefined) pages.sendSignedOut(res, cookie);
    else leadTo(res, 303, returnTo, [cookie]);
  }

  return { start, finish, signOut };
}

function personOf({ userId, teamId, enterpriseId, issuedAt }: SlackIdentity) {
  return { user_id: userId, team_id: teamId, enterprise_id: enterpriseId, slack_signed_at: issuedAt };
}

/** Creates or updates the team, the person and their membership, and stores what Slack says about the person. */
async function register(
  tx: Tx,
  installation: SignInInstallation,
  identity: SlackIdentity,
  found: FoundPerson | undefined,
  now: number,
): Promise<void> {
  const { clientId, enterpriseId, isEnterpriseInstall } = installation;
  const teamId = registeredTeamId(installation);
  const { userId, name: realName, email, avatarUrl, locale } = identity;
  const team = { clientId, teamId, name: isEnterpriseInstall ? null : identity.teamName, enterpriseId };
  await recordTeam(tx, { ...team, seenAt: now, now });
  const person = { clientId, teamId, userId, now };
  await recordUser(tx, { ...person, seenAt: now, provenAt: 0 });
  const reported = { name: null, realName, email, timezone: null, locale, avatarUrl };
  // Slack does not let a deactivated person sign in, so this person is active.
  await updatePerson(tx, { ...person, ...reported, isDeactivated: false, at: now });
  if (found?.kind !== 'there') return;
  const { profile, isAdmin, isOwner, isGuest } = found;
  // If the bot lacks the scope for the email, Foyer uses the email that the person has just shared.
  const user = { ...profile, email: profile.email ?? email, isAdmin, isOwner, isGuest };
  await saveProfile(tx, person, { user, team: null });
}

function queryOf(req: IncomingMessage): URLSearchParams {
  return new URL(req.url ?? '/', 'http://localhost').searchParams;
}
