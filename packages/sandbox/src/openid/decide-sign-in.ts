import type { ControlOptions } from '../control/control-bodies.ts';
import { digits, secretHex } from '../ids.ts';
import { backTo, codeLifetimeMs, isForeign } from '../oauth/decide-consent.ts';
import type { Platform } from '../platform.ts';
import { readSignInRequest } from './sign-in-request.ts';

export type SignInOptions = ControlOptions<'signIn'>;

export type SignInOutcome = { kind: 'redirect'; location: string } | { kind: 'refused'; explanation: string };

/** Fills in the sign-in form and sends it, without a browser. Throws if the page would not redirect back to the app. */
export function signInFor(platform: Platform, choice: SignInOptions): string {
  const form = new URLSearchParams(new URL(choice.authorizeUrl).searchParams);
  const person = platform.world.people.get(choice.userId);
  form.set('user', choice.userId);
  form.set('place', choice.teamId ?? form.get('team') ?? Object.keys(person?.roles ?? {})[0] ?? '');
  form.set('decision', choice.decision ?? 'allow');
  const outcome = submitSignIn(platform, form);
  if (outcome.kind === 'redirect') return outcome.location;
  throw new Error(outcome.explanation);
}

/**
 * Handles a submitted sign-in form: redirects back with a code or an error, or refuses. In addition to the parameters
 * of the authorize address, the form has the fields `user`, `place` (a workspace's id) and `decision` (`allow` or
 * `cancel`).
 */
export function submitSignIn(platform: Platform, form: URLSearchParams): SignInOutcome {
  const { world, app, activity, clock } = platform;
  const read = readSignInRequest(app, form);
  if ('problem' in read) return refused(`${read.problem.explanation} (${read.problem.code})`);
  const { request } = read;
  const person = world.people.get(form.get('user') ?? '');
  const workspace = world.workspaces.get(form.get('place') ?? '');
  if (!person || !workspace) return refused('There is no such person or workspace.');
  const returnTo = { returnTo: request.redirectUri, state: request.state };
  const told = { teamId: workspace.id, userId: person.id };
  if (form.get('decision') !== 'allow') {
    activity.tell({ kind: 'sign-in-cancelled', ...told });
    return { kind: 'redirect', location: backTo(returnTo, { error: 'access_denied' }) };
  }
  if (isForeign(platform, { teamId: workspace.id, enterpriseId: workspace.enterpriseId })) {
    const location = backTo(returnTo, { error: 'invalid_team_for_non_distributed_app' });
    return { kind: 'redirect', location };
  }
  if (person.isDeactivated) return refused(`The account of ${person.realName} was deactivated.`);
  if (!person.roles[workspace.id] || (request.teamId && request.teamId !== workspace.id)) {
    return refused(
      `${person.realName} is not a member of this workspace, or the app asked for another workspace.`,
    );
  }
  const value = `${digits(12)}.${digits(13)}.${secretHex(32)}`;
  const { scopes, redirectUri, nonce, codeChallenge } = request;
  world.signInCodes.set(value, {
    ...told,
    scopes,
    redirectUri,
    nonce,
    codeChallenge,
    expiresAt: clock.now() + codeLifetimeMs,
    isUsed: false,
  });
  activity.tell({ kind: 'signed-in', ...told });
  return { kind: 'redirect', location: backTo(returnTo, { code: value }) };
}

function refused(explanation: string): SignInOutcome {
  return { kind: 'refused', explanation };
}
