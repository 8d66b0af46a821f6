import type { ControlOptions } from '../control/control-bodies.ts';
import { type Exchange, htmlReply, type Reply, redirectReply } from '../http/exchange.ts';
import type { Route } from '../http/routes.ts';
import type { Platform } from '../platform.ts';
import type { Person, Workspace } from '../world/records.ts';
import { type AuthorizeRequest, optionalScopes, readAuthorizeRequest } from './authorize-request.ts';
import { consentNotice, consentPage } from './consent-page.ts';
import { type ConsentOutcome, decideConsent, needsApproval } from './decide-consent.ts';
import { readSignedIn, type SignedIn, signedInCookie, withOverrides } from './signed-in.ts';

/** The consent page, and the form on it. Source: docs.slack.dev/authentication/installing-with-oauth */
export function oauthRoutes(platform: Platform): Route[] {
  return [
    { on: 'GET /oauth/v2/authorize', handle: (exchange) => showConsent(platform, exchange) },
    {
      on: 'POST /oauth/v2/authorize',
      handle: ({ form }) => replyTo(platform, submitConsent(platform, form)),
    },
  ];
}

function showConsent(platform: Platform, { url, cookies }: Exchange): Reply {
  const { world, app, activity } = platform;
  const query = url.searchParams;
  const read = readAuthorizeRequest(app, query);
  if ('problem' in read) return refusal(read.problem.code, read.problem.explanation);
  const { request } = read;
  const signedIn = withOverrides(world, readSignedIn(world, cookies), pickedIn(query));
  const workspace = workspaceToShow(platform, request, signedIn);
  const person = workspace && world.people.get(signedIn.userIdByTeam[workspace.id] ?? '');
  if (!workspace || !person)
    return refusal('invalid_team_for_non_distributed_app', 'There is no such workspace.');
  activity.tell({ kind: 'consent-opened', teamId: workspace.id, userId: person.id });
  const organisation =
    app.settings.isOrgDeployEnabled &&
    person.isOrgAdmin &&
    world.enterprises.get(workspace.enterpriseId ?? '');
  const page = consentPage({
    app,
    request,
    query,
    workspace,
    person,
    organisation: organisation || null,
    choices: request.teamId ? [] : choicesOf(platform, signedIn),
    mustAsk: needsApproval(platform, person, workspace.id),
  });
  const reply = htmlReply(page);
  return { ...reply, headers: { ...reply.headers, 'set-cookie': signedInCookie(signedIn) } };
}

/**
 * Returns the workspace (`team`) and the person (`user`) to show. If the person chose a workspace with a link on the
 * page, the query has it as `pick`. Otherwise, the workspace is the query's `team`, which the app asked for.
 */
export function pickedIn(query: URLSearchParams): URLSearchParams {
  const overrides = new URLSearchParams();
  const team = query.get('pick') ?? query.get('team');
  const user = query.get('user');
  if (team) overrides.set('team', team);
  if (user) overrides.set('user', user);
  return overrides;
}

function workspaceToShow(
  { world }: Platform,
  request: AuthorizeRequest,
  signedIn: SignedIn,
): Workspace | undefined {
  const { teamId } = request;
  if (teamId && world.enterprises.has(teamId)) {
    const inOrg = [...world.workspaces.values()].filter((each) => each.enterpriseId === teamId);
    return inOrg.find((each) => each.id === signedIn.teamId) ?? inOrg[0];
  }
  return world.workspaces.get(teamId ?? signedIn.teamId);
}

/** Lists the workspaces to which this browser is signed in, each with the person who is signed in. */
export function choicesOf(
  { world }: Platform,
  signedIn: SignedIn,
): { workspace: Workspace; person: Person }[] {
  return [...world.workspaces.values()].flatMap((workspace) => {
    const person = world.people.get(signedIn.userIdByTeam[workspace.id] ?? '');
    return person ? [{ workspace, person }] : [];
  });
}

/**
 * Handles a submitted consent form. In addition to the parameters of the authorize address, the form has the fields
 * `user`, `place` (a workspace's or org's id), `decision` (`allow` or `cancel`), and one `optional_scope` for each
 * optional scope that is ticked.
 */
export function submitConsent(platform: Platform, form: URLSearchParams): ConsentOutcome {
  const read = readAuthorizeRequest(platform.app, form);
  if ('problem' in read) return { kind: 'refused', explanation: read.problem.explanation };
  const ticked = form.getAll('optional_scope');
  return decideConsent(platform, {
    request: read.request,
    userId: form.get('user') ?? '',
    placeId: form.get('place') ?? '',
    decision: form.get('decision') === 'allow' ? 'allow' : 'cancel',
    declinedScopes: optionalScopes(platform.app.settings, read.request).filter(
      (scope) => !ticked.includes(scope),
    ),
  });
}

export type ConsentOptions = ControlOptions<'consent'>;

/** Fills in the consent form and sends it, without a browser. Throws if the page would not redirect back to the app. */
export function consentFor(platform: Platform, choice: ConsentOptions): string {
  const form = new URLSearchParams(new URL(choice.authorizeUrl).searchParams);
  form.set('user', choice.userId);
  form.set('place', choice.enterpriseId ?? choice.teamId ?? '');
  form.set('decision', choice.decision ?? 'allow');
  const read = readAuthorizeRequest(platform.app, form);
  if ('problem' in read) throw new Error(`${read.problem.code}: ${read.problem.explanation}`);
  for (const scope of optionalScopes(platform.app.settings, read.request)) {
    if (!choice.declinedScopes?.includes(scope)) form.append('optional_scope', scope);
  }
  const outcome = submitConsent(platform, form);
  if (outcome.kind === 'redirect') return outcome.location;
  throw new Error(
    outcome.kind === 'refused'
      ? outcome.explanation
      : 'The admins of this workspace must approve the app first.',
  );
}

function replyTo(platform: Platform, outcome: ConsentOutcome): Reply {
  if (outcome.kind === 'redirect') return redirectReply(outcome.location);
  if (outcome.kind === 'refused') return refusal('access_denied', outcome.explanation);
  const text = `The admins of the workspace have your request. Once they approve ${platform.app.settings.name}, come back and install it.`;
  return htmlReply(consentNotice('Request sent', text));
}

function refusal(code: string, explanation: string): Reply {
  return htmlReply(
    consentNotice('Something went wrong when authorizing this app', `${explanation} (${code})`),
    400,
  );
}
