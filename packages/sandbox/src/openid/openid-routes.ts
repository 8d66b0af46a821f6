import { type Exchange, htmlReply, type Reply, redirectReply } from '../http/exchange.ts';
import { html } from '../http/html.ts';
import type { Route } from '../http/routes.ts';
import { consentNotice, decisionPage } from '../oauth/consent-page.ts';
import { choicesOf, pickedIn } from '../oauth/oauth-routes.ts';
import { readSignedIn, signedInCookie, withOverrides } from '../oauth/signed-in.ts';
import type { Platform } from '../platform.ts';
import type { WebApi } from '../web-api/answer-call.ts';
import { submitSignIn } from './decide-sign-in.ts';
import { readSignInRequest, type SignInRequest } from './sign-in-request.ts';

/**
 * Sign in with Slack: the page, its form, the discovery document and the keys. Requests for the discovery document and
 * the keys count as calls of `openid.configuration` and `openid.keys`: a test can set a fault or a latency for them.
 * Source: docs.slack.dev/authentication/sign-in-with-slack
 */
export function openidRoutes(platform: Platform, webApi: WebApi): Route[] {
  return [
    {
      on: 'GET /.well-known/openid-configuration',
      handle: (exchange) => webApi.answer(exchange, 'openid.configuration'),
    },
    { on: 'GET /openid/connect/keys', handle: (exchange) => webApi.answer(exchange, 'openid.keys') },
    { on: 'GET /openid/connect/authorize', handle: (exchange) => showSignIn(platform, exchange) },
    {
      on: 'POST /openid/connect/authorize',
      handle({ form }) {
        const outcome = submitSignIn(platform, form);
        return outcome.kind === 'redirect' ? redirectReply(outcome.location) : refusal(outcome.explanation);
      },
    },
  ];
}

function showSignIn(platform: Platform, { url, cookies }: Exchange): Reply {
  const { world, app, activity } = platform;
  const query = url.searchParams;
  const read = readSignInRequest(app, query);
  if ('problem' in read) return refusal(`${read.problem.explanation} (${read.problem.code})`);
  const { request } = read;
  const signedIn = withOverrides(world, readSignedIn(world, cookies), pickedIn(query));
  const workspace = world.workspaces.get(request.teamId ?? signedIn.teamId);
  const person = workspace && world.people.get(signedIn.userIdByTeam[workspace.id] ?? '');
  if (!workspace || !person) return refusal('There is no such workspace.');
  activity.tell({ kind: 'sign-in-opened', teamId: workspace.id, userId: person.id });
  const choices = request.teamId ? [] : choicesOf(platform, signedIn);
  const reply = htmlReply(signInPage(request, { app, query, workspace, person, choices }));
  return { ...reply, headers: { ...reply.headers, 'set-cookie': signedInCookie(signedIn) } };
}

const scopeWords: Record<string, string> = {
  openid: 'Who you are, and which workspace you are in',
  email: 'Your email address',
  profile: 'Your name, picture and language',
};

function signInPage(request: SignInRequest, page: Parameters<typeof decisionPage>[0]): string {
  const { app, workspace } = page;
  const { name } = app.settings;
  const rows = request.scopes.map(
    (scope) => html`<li><span>${scopeWords[scope] ?? scope}</span> <code>${scope}</code></li>`,
  );
  const kept =
    'client_id redirect_uri response_type scope state nonce team code_challenge code_challenge_method';
  return decisionPage(page, {
    title: `Sign in to ${name} with Slack`,
    heading: html`Sign in to ${name} with your <strong>${workspace.name}</strong> Slack account`,
    notice: null,
    action: '/openid/connect/authorize',
    kept: kept.split(' '),
    choices: html`<input type="hidden" name="place" value="${workspace.id}">
    <section><h2>What will ${name} learn about you?</h2><ul>${rows}</ul></section>`,
    allow: 'Allow',
  });
}

function refusal(explanation: string): Reply {
  return htmlReply(consentNotice('Something went wrong when signing in', explanation), 400);
}
