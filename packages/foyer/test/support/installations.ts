import { randomBytes } from 'node:crypto';
import type { Installation } from '@slack/oauth';
import { createKeyring, type Keyring } from '../../src/installations/keyring.ts';

/** A clock that moves only when `advance` is called. */
export function createClock(start = Date.UTC(2026, 6, 1, 12)): {
  now: () => number;
  advance(ms: number): void;
} {
  let time = start;
  return {
    now: () => time,
    advance(ms) {
      time += ms;
    },
  };
}

/** A keyring with a new key for each id. It encrypts with the first key. */
export function keyringOf(...ids: string[]): Keyring {
  return createKeyring(keysOf(...ids));
}

/** Makes a new key for each id, in the form that the parsed configuration uses. */
export function keysOf(...ids: string[]): { id: string; base64: string }[] {
  return ids.map((id) => ({ id, base64: randomBytes(32).toString('base64') }));
}

/** What differs from the default install (U1 installs in T1, with only a bot token). Null: without that token. */
export interface InstallWish {
  teamId?: string;
  enterpriseId?: string;
  userId?: string;
  botToken?: string | null;
  userToken?: string | null;
  /** Seconds since 1970. */
  botExpiresAt?: number;
  userExpiresAt?: number;
}

/** An install of one team, just as Slack's InstallProvider builds it. */
export function teamInstall(wish: InstallWish = {}): Installation<'v2', false> {
  const teamId = wish.teamId ?? 'T1';
  const { enterpriseId } = wish;
  return {
    ...sharedParts(wish),
    team: { id: teamId, name: `Team ${teamId}` },
    enterprise: enterpriseId ? { id: enterpriseId, name: `Enterprise ${enterpriseId}` } : undefined,
    isEnterpriseInstall: false,
  };
}

/** An org-wide install of one enterprise, just as Slack's InstallProvider builds it. */
export function orgInstall(wish: InstallWish = {}): Installation<'v2', true> {
  const enterpriseId = wish.enterpriseId ?? 'E1';
  return {
    ...sharedParts(wish),
    team: undefined,
    enterprise: { id: enterpriseId, name: `Enterprise ${enterpriseId}` },
    enterpriseUrl: 'https://acme.enterprise.slack.com/',
    isEnterpriseInstall: true,
  };
}

function sharedParts(wish: InstallWish) {
  const { userId = 'U1', botToken = 'xoxb-bot-1', userToken = null } = wish;
  const { botExpiresAt, userExpiresAt } = wish;
  return {
    user: {
      token: userToken ?? undefined,
      scopes: userToken === null ? undefined : ['search:read'],
      id: userId,
      ...(userExpiresAt === undefined
        ? {}
        : { refreshToken: `xoxe-1-user-${userToken}`, expiresAt: userExpiresAt }),
    },
    ...(botToken === null
      ? {}
      : {
          bot: {
            scopes: ['chat:write', 'users:read'],
            token: botToken,
            userId: 'UBOT',
            id: 'B1',
            ...(botExpiresAt === undefined
              ? {}
              : { refreshToken: `xoxe-1-bot-${botToken}`, expiresAt: botExpiresAt }),
          },
        }),
    incomingWebhook: {
      url: 'https://hooks.slack.com/services/T1/B1/secret-webhook-path',
      channel: '#general',
      channelId: 'C1',
      configurationUrl: 'https://acme.slack.com/services/B1',
    },
    tokenType: 'bot' as const,
    appId: 'A1',
    authVersion: 'v2' as const,
    metadata: 'from the state',
  };
}
