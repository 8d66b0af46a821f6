import type { RunRecord, StepRecord } from '../../src/database/install-record.ts';
import type { UserRecord } from '../../src/database/people/people.ts';
import type { HomeContent } from '../../src/home/home-content.ts';
import { english, faces } from '../support/test-face.ts';

/** May 12, 2026, 09:30 UTC. */
export const installedAt = Date.UTC(2026, 4, 12, 9, 30);

export const scopes = ['chat:write', 'im:write', 'im:history', 'users:read', 'users:read.email', 'team:read'];

export function step(name: string, status: StepRecord['status'], more: Partial<StepRecord> = {}): StepRecord {
  const nothing = { attempts: 1, failures: 0, errorCode: null, errorMessage: null, finishedAt: null };
  return { name, status, ...nothing, ...more };
}

export function run(
  status: RunRecord['status'],
  steps: StepRecord[],
  more: Partial<RunRecord> = {},
): RunRecord {
  return {
    id: 'run_1',
    pipeline: 'install',
    userId: 'U1',
    status,
    createdAt: installedAt,
    finishedAt: null,
    dueAt: null,
    waitingFor: null,
    steps,
    ...more,
  };
}

export function profile(userId: string, more: Partial<UserRecord> = {}): UserRecord {
  return {
    teamId: 'T1',
    userId,
    name: userId.toLowerCase(),
    realName: `Person ${userId}`,
    email: `${userId.toLowerCase()}@acme.test`,
    timezone: 'America/New_York',
    locale: 'en-US',
    avatarUrl: 'https://avatars.acme.test/1.png',
    isAdmin: false,
    isOwner: false,
    isGuest: false,
    lastSeenAt: null,
    deactivatedAt: null,
    hasUserToken: false,
    firstSeenAt: installedAt,
    ...more,
  };
}

/** A finished install of Acme by U1, as U1 sees it; the arguments override parts of it. */
export function content(more: Omit<Partial<HomeContent>, 'record'> = {}, record = {}): HomeContent {
  return {
    record: {
      id: 'ins_1',
      clientId: 'client',
      teamId: 'T1',
      teamName: 'Acme',
      enterpriseId: null,
      enterpriseName: null,
      isEnterpriseInstall: false,
      appId: 'A1',
      status: 'active',
      brokenReason: null,
      installerUserId: 'U1',
      installedAt,
      uninstalledAt: null,
      botUserId: 'UBOT',
      botScopes: scopes,
      life: 1,
      connection: null,
      run: run('succeeded', [step('register-team', 'succeeded'), step('send-welcome', 'succeeded')]),
      ...record,
    },
    history: [{ at: installedAt, kind: 'installed', userId: 'U1', detail: null }],
    viewer: { userId: 'U1', isAdmin: false, profile: profile('U1') },
    app: { name: 'Foyer' },
    words: english,
    faces,
    supportUrl: null,
    privacyUrl: null,
    requestedScopes: scopes,
    optionalScopes: ['users:read.email'],
    memberScopes: [],
    updatePermissionsUrl: 'https://foyer.test/slack/install?team=T1',
    ...more,
  };
}
