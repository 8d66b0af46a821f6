import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HomeView } from '@slack/types';
import type { Config } from '../config.ts';
import type { Database } from '../database/database.ts';
import { type InstallRecord, readHistory, readInstallRecord } from '../database/install-record.ts';
import type { Logger } from '../log.ts';
import { type SlackFailure, slackFailure } from '../slack/slack-failure.ts';
import type { FindViewer, SlackForInstallation } from './find-viewer.ts';
import { historyShown, homeView } from './home-view.ts';
import type { Viewer } from './may-act.ts';

/** For whom App Home is published. */
export interface PublishRequest {
  installationId: string;
  userId: string;
  /** The workspace in which the person is, where it is known; an org-wide install knows it from the event alone. */
  teamId?: string;
  /** Whether the person has just opened App Home. */
  opened?: boolean;
}

/**
 * What became of a publish. `unchanged`: Slack shows just that already. `not_installed`: unknown or uninstalled.
 * `not_enabled`: the app's Home tab is off. `token_dead`: the installation's token will never work again; the caller
 * marks it broken. `rate_limited`, `unreachable`: the next change tries again. `refused`: Slack said no for good.
 */
export type PublishResult =
  | { published: true; reason: 'sent' }
  | { published: false; reason: 'unchanged' | 'not_installed' }
  | {
      published: false;
      reason: 'not_enabled' | 'token_dead' | 'rate_limited' | 'unreachable' | 'refused';
      failure: SlackFailure;
    };

/** Publishes App Home for one person. Never throws for an answer of Slack's. @throws DatabaseUnavailableError */
export type PublishHome = (request: PublishRequest) => Promise<PublishResult>;

/**
 * Publishes App Home anew for everybody who may be looking: the installer, the person of the newest run, and those who
 * opened it within the last hour. @throws DatabaseUnavailableError
 */
export type RepublishHome = (installationId: string) => Promise<PublishResult[]>;

/** A longer Retry-After is left to the next change. */
const longestWaitMs = 10_000;
const lookingForMs = 60 * 60 * 1000;
const mostLookers = 20;

/** Makes the two publishers. `wait` passes the time of a Retry-After, in milliseconds. */
export function createPublishHome(deps: {
  database: Database;
  slackFor: SlackForInstallation;
  findViewer: FindViewer;
  config: Pick<Config, 'app' | 'slack' | 'http' | 'supportUrl' | 'privacyUrl'>;
  now: () => number;
  wait?: (ms: number) => Promise<unknown>;
  log: Logger;
}): { publishHome: PublishHome; republishHome: RepublishHome } {
  throw new Error(`not built yet ${Object.keys(deps)}`);
}
