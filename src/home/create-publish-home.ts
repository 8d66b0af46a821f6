import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HomeView } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import { type HistoryRecord, readHistory } from '../database/installations/history-record.ts';
import { type InstallRecord, readInstallRecord } from '../database/installations/install-record.ts';
import type { TokenSource } from '../installation-store/token-source.ts';
import type { Logger } from '../log.ts';
import { type SlackFailure, slackFailure } from '../slack/slack-failure.ts';
import type { FindViewer, SlackForInstallation } from './find-viewer.ts';
import type { HomeContent } from './home-content.ts';
import { historyShown, homeView } from './home-view.ts';
import type { Viewer } from './may-act.ts';
import type { PublishHome, PublishRequest, PublishResult, RepublishHome } from './publish-home.ts';
import { publishInTurns } from './publish-in-turns.ts';
import { announceHome, confirmHome, readLookers } from './shown-homes.ts';

/** A longer Retry-After is left to the next change. */
const longestWaitMs = 10_000;

/** Makes the two publishers. `wait` passes the time of a Retry-After, in milliseconds. */
export function createPublishHome(deps: {
  database: Database;
  slackFor: SlackForInstallation;
  findViewer: FindViewer;
  /** Told of each refusal, with the token that it met: it marks the installation broken where that token is dead. */
  reportDeadToken: TokenSource['reportDeadToken'];
  config: Pick<Config, 'app' | 'slack' | 'http' | 'supportUrl' | 'privacyUrl'>;
  now: () => number;
  wait?: (ms: number) => Promise<unknown>;
  log: Logger;
}): { publishHome: PublishHome; republishHome: RepublishHome } {
  const { database, config, now, log } = deps;
  const wait = deps.wait ?? ((ms) => sleep(ms, undefined, { ref: false }));

  async function publishOnce(request: PublishRequest, triesLeft = 3): Promise<PublishResult> {
    const record = await readInstallRecord(database.queries, request.installationId);
    if (!record || record.status === 'uninstalled') return { published: false, reason: 'not_installed' };
    const viewer = await deps.findViewer(record, request.userId);
    const history = await readHistory(database.queries, record.id, historyShown + 1);
    const view = homeView(homeContent(config, record, history, viewer));
    const hash = hashOf(record, view);
    const standing = await announceHome(database, request, hash, now());
    if (standing !== 'to be sent') return { published: false, reason: standing };
    const slack = await deps.slackFor(record.id);
    try {
      await send(slack, request, record, view);
    } catch (error) {
      const failure = slackFailure(error);
      if (!failure) throw error;
      if (slack.token) await deps.reportDeadToken({ installationId: record.id, token: slack.token, error });
      log.warn({ ...ids(request), error: failure.code }, 'Home was not published');
      return { published: false, reason: reasonOf(failure), failure };
    }
    // Here one view is sent after another; another machine may have sent a newer one before this one arrived.
    const isLatest = await confirmHome(database, request, hash);
    if (!isLatest && triesLeft > 0) return publishOnce(request, triesLeft - 1);
    log.debug(ids(request), 'published Home');
    return { published: true, reason: 'sent' };
  }

  async function send(
    slack: Pick<WebClient, 'views'>,
    request: PublishRequest,
    record: InstallRecord,
    view: HomeView,
  ): Promise<void> {
    const teamId = request.teamId ?? record.teamId;
    const place = { user_id: request.userId, ...(teamId && { team_id: teamId }) };
    try {
      await slack.views.publish({ ...place, view });
    } catch (error) {
      // Slack refuses a whole view for one picture that it cannot load.
      const plain = withoutPictures(view);
      const code = slackFailure(error)?.code;
      if (plain === undefined || (code !== 'invalid_blocks' && code !== 'invalid_arguments')) throw error;
      await slack.views.publish({ ...place, view: plain });
    }
  }

  async function publishPatiently(request: PublishRequest): Promise<PublishResult> {
    const first = await publishOnce(request);
    const waitMs =
      first.reason === 'rate_limited' ? (first.failure.retryAfterMs ?? longestWaitMs) : undefined;
    if (waitMs === undefined || waitMs > longestWaitMs) return first;
    await wait(waitMs);
    return publishOnce(request);
  }

  const publishHome = publishInTurns(publishPatiently);

  return {
    publishHome,
    async republishHome(installationId) {
      const userIds = await readLookers(database, installationId, now());
      return Promise.all(userIds.map((userId) => publishHome({ installationId, userId })));
    },
  };
}

function homeContent(
  config: Pick<Config, 'app' | 'slack' | 'http' | 'supportUrl' | 'privacyUrl'>,
  record: InstallRecord,
  history: HistoryRecord[],
  viewer: Viewer,
): HomeContent {
  const install = new URL('/slack/install', config.http.publicUrl);
  if (record.teamId !== null) install.searchParams.set('team', record.teamId);
  return {
    record,
    history,
    viewer,
    app: config.app,
    requestedScopes: config.slack.botScopes,
    optionalScopes: config.slack.optionalBotScopes,
    updatePermissionsUrl: install.href,
    supportUrl: config.supportUrl,
    privacyUrl: config.privacyUrl,
  };
}

/** Of the view, and of the install that it tells of: after a reinstall Slack may show nothing at all. */
function hashOf(record: InstallRecord, view: HomeView): string {
  return createHash('sha256')
    .update(JSON.stringify([record.installedAt, view]))
    .digest('hex');
}

/** The same view without its pictures; undefined where it has none. */
function withoutPictures(view: HomeView): HomeView | undefined {
  const isPictured = (block: HomeView['blocks'][number]): boolean =>
    block.type === 'section' && 'accessory' in block && block.accessory?.type === 'image';
  if (!view.blocks.some(isPictured)) return undefined;
  return {
    ...view,
    blocks: view.blocks.map((block) => (isPictured(block) ? { ...block, accessory: undefined } : block)),
  };
}

function reasonOf(
  failure: SlackFailure,
): 'not_enabled' | 'token_dead' | 'rate_limited' | 'unreachable' | 'refused' {
  if (failure.code === 'not_enabled') return 'not_enabled';
  const reasons = {
    'token-dead': 'token_dead',
    'rate-limited': 'rate_limited',
    unreachable: 'unreachable',
    refused: 'refused',
  } as const;
  return reasons[failure.kind];
}

function ids({ installationId, userId }: PublishRequest): { installationId: string; userId: string } {
  return { installationId, userId };
}
