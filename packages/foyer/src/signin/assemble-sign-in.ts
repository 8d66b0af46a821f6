import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Refusals } from '../http/count-refusals.ts';
import { createInstallLimits, type InstallLimits } from '../http/guard-installs.ts';
import { createBoundStates } from '../install/state.ts';
import type { Keyring } from '../installations/keyring.ts';
import { createSealer } from '../installations/sealer.ts';
import type { TokenSource } from '../installations/token-source.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import type { SlackTransport } from '../slack/slack-transport.ts';
import { createFindMember } from './find-member.ts';
import { createLookUpPerson } from './look-up-person.ts';
import { createOpenId } from './openid.ts';
import { createSessions, memberTimes } from './sessions.ts';
import { createShowRecord, type ShowRecordDeps } from './show-record.ts';
import { createSignIn, type SignInDeps, signInContent } from './sign-in.ts';

/** Creates the parts of Sign in with Slack: its routes, the record on the web, and the lookup of who signed in. */
export function assembleSignIn(
  deps: Omit<ShowRecordDeps, 'findMember' | 'sessions' | 'config' | 'database'> &
    Pick<SignInDeps, 'operators' | 'onEnded' | 'pages'> & {
      config: Config & SignInDeps['config'];
      database: Database;
      keyring: Keyring;
      slack: SlackClientFactory;
      botToken: TokenSource['botToken'];
      transport: SlackTransport;
      refusals: Pick<Refusals, 'add'>;
      /** Set only by tests. */
      limits?: Partial<InstallLimits['perMinute']>;
    },
) {
  const { config, database, keyring, pages, refusals, now, log } = deps;
  const { secure, basePath, trustProxy } = config.http;
  const sessions = createSessions({
    kind: 'member',
    clientId: config.slack.clientId,
    cookieName: 'foyer-member',
    times: memberTimes,
    sealer: createSealer({ keyring, purpose: 'member-session' }),
    database,
    secure,
    now,
  });
  const states = createBoundStates({
    sealer: createSealer({ keyring, purpose: 'signin-state' }),
    flow: 'signin',
    content: signInContent,
    secure,
    basePath,
    now,
  });
  const lookUpPerson = createLookUpPerson(deps);
  const findMember = createFindMember({ sessions, database, lookUpPerson, now, log });
  const openId = createOpenId({ config, transport: deps.transport, now });
  const limits = createInstallLimits({ flow: 'signin', trustProxy, pages, refusals, limits: deps.limits });
  const routes = createSignIn({
    ...deps,
    openId,
    states,
    sessions,
    lookUpPerson,
    onSignedIn: limits.succeeded,
  });
  return {
    states,
    findMember,
    record: createShowRecord({ ...deps, findMember, sessions }),
    routes: {
      start: limits.guardStart(routes.start),
      finish: limits.guardCallback(routes.finish),
      signOut: routes.signOut,
    },
  };
}
