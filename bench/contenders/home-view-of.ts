import type { HomeView } from '@slack/types';
import { homeBlocks } from '../../packages/foyer/src/home/home-view.ts';
import { homeView } from '../../packages/foyer/src/home/read-home.ts';
import { builtInSteps } from '../../packages/foyer/src/steps/steps.ts';
import { createTexts } from '../../packages/foyer/src/texts/create-texts.ts';
import { app } from '../load/signed-events.ts';
import { botScopes } from '../seed/bench-installation.ts';

/**
 * Builds the App Home view that Foyer publishes, so that stock Bolt can publish the same view. `place` contains only
 * what a stock Bolt app knows too.
 */
export function homeViewOf(place: { teamId: string; teamName: string | null; userId: string }): HomeView {
  const at = Date.UTC(2026, 0, 1);
  const run = {
    id: 'run_00000000000000000000000001',
    pipeline: 'install' as const,
    userId: place.userId,
    status: 'succeeded' as const,
    createdAt: at,
    finishedAt: at,
    dueAt: null,
    waitingFor: null,
    steps: builtInSteps().map(({ name }) => ({
      name,
      status: 'succeeded' as const,
      attempts: 1,
      failures: 0,
      errorCode: null,
      errorMessage: null,
      finishedAt: at,
    })),
  };
  const blocks = homeBlocks({
    record: {
      id: 'ins_00000000000000000000000001',
      clientId: app.clientId,
      teamId: place.teamId,
      teamName: place.teamName,
      enterpriseId: null,
      enterpriseName: null,
      isEnterpriseInstall: false,
      appId: app.id,
      status: 'active',
      brokenReason: null,
      installerUserId: place.userId,
      installedAt: at,
      uninstalledAt: null,
      botUserId: app.botUserId,
      botScopes,
      life: 1,
      connection: null,
      run,
    },
    history: [],
    viewer: { userId: place.userId, isAdmin: true, profile: undefined },
    app: { name: 'Foyer' },
    words: createTexts().forLocale('en'),
    faces: {},
    supportUrl: null,
    privacyUrl: null,
    requestedScopes: botScopes,
    optionalScopes: ['users:read.email'],
    memberScopes: [],
    updatePermissionsUrl: 'https://foyer.example.com/slack/install',
  });
  return homeView(blocks);
}
