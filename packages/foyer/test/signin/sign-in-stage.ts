import type { RequestListener } from 'node:http';
import type { SandboxOptions } from 'slack-sandbox';
import type { StartOptions } from '../../src/serve.ts';
import type { SignedInMember } from '../../src/signin/find-member.ts';
import { createVisitor, type Visitor } from '../../src/testing/visitor.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import type { EngineName } from '../support/stage-database.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

/** A stage on which people sign in with Slack. */
export interface SignInStage extends Stage {
  /** Installs the app in a workspace, as the workspace's owner. */
  installIn(name: string): Promise<void>;
  /** Presses Sign in with Slack and decides on Slack's page. Returns the callback's address without visiting it. */
  pressSignIn(visitor: Visitor, choice: SignInChoice): Promise<string>;
  /** Completes a sign-in. Returns the callback's response. */
  signIn(visitor: Visitor, choice: SignInChoice): Promise<Response>;
  /** The member whom Foyer recognizes in this browser. */
  memberOf(visitor: Visitor): Promise<SignedInMember | undefined>;
}

/** Who signs in, where they return to, and what they decide on Slack's page. */
export interface SignInChoice {
  userId: string;
  teamId?: string;
  returnTo?: string;
  decision?: 'allow' | 'cancel';
}

/** Sets the stage with `SIGN_IN=on`. Close it at the end. */
export async function setSignInStage(
  options: {
    engine?: EngineName;
    environment?: Record<string, string>;
    sandbox?: Partial<SandboxOptions>;
    now?: () => number;
    /** Answers requests that are not for Foyer. */
    otherwise?: RequestListener;
    foyer?: StartOptions;
  } = {},
): Promise<SignInStage> {
  const { environment, now, otherwise, sandbox: sandboxOptions, foyer, ...rest } = options;
  const manifest = JSON.parse(fixtureManifest);
  manifest.settings.event_subscriptions.bot_events.push('user_change');
  const stage = await setStage({
    ...rest,
    sandbox: { manifest, ...sandboxOptions },
    environment: { SIGN_IN: 'on', ...environment },
    foyer: { ...foyer, ...(now && { now }), ...(otherwise && { otherwise }) },
  });
  const { url, sandbox } = stage;

  async function pressSignIn(visitor: Visitor, choice: SignInChoice): Promise<string> {
    const { returnTo, ...person } = choice;
    const query = returnTo === undefined ? '' : `?${new URLSearchParams({ return_to: returnTo })}`;
    const start = await visitor.get(`${url}/slack/signin${query}`);
    if (start.status !== 302) throw new Error(`/slack/signin answered ${start.status}`);
    return sandbox.signIn({ authorizeUrl: start.headers.get('location') ?? '', ...person });
  }

  return {
    ...stage,
    async installIn(name) {
      const { id: teamId } = sandbox.workspace(name);
      const visitor = createVisitor();
      const start = await visitor.get(`${url}/slack/install`);
      const authorizeUrl = start.headers.get('location') ?? '';
      const { id: userId } = sandbox.person(teamId, 'owner');
      const answer = await visitor.get(await sandbox.consent({ authorizeUrl, userId, teamId }));
      if (answer.status !== 303) throw new Error(`the install answered ${answer.status}`);
    },
    pressSignIn,
    signIn: async (visitor, choice) => visitor.get(await pressSignIn(visitor, choice)),
    memberOf: (visitor) => stage.foyer().member({ headers: new Headers({ cookie: cookieHeader(visitor) }) }),
  };
}

/** What the visitor's browser sends as its Cookie header. */
export function cookieHeader(visitor: Visitor): string {
  return [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}
