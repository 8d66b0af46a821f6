import { hash } from 'node:crypto';
import type { HomeView } from '@slack/types';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { prepareHistory } from '../database/history.ts';
import type { Onlooker } from '../database/home-views.ts';
import { type InstallRecord, prepareInstallRecord } from '../database/install-record.ts';
import type { FindViewer } from './find-viewer.ts';
import { historyShown, homeView } from './home-view.ts';

/** What the view needs of the configuration. */
export type HomeConfig = Pick<Config, 'app' | 'slack' | 'http' | 'supportUrl' | 'privacyUrl'>;

/** One person's App Home, made of the record as it is now. */
export interface Home {
  record: InstallRecord;
  view: HomeView;
  /** The view as JSON: what is hashed, and what is sent. */
  text: string;
  /** SHA-256 of the view, and of the install that it tells of: after a reinstall Slack may show nothing at all. */
  hash: string;
}

/** Makes the function that reads and draws somebody's Home; undefined for an unknown or uninstalled installation. */
export function createReadHome(deps: {
  database: Database;
  findViewer: FindViewer;
  config: HomeConfig;
}): (onlooker: Onlooker) => Promise<Home | undefined> {
  const { database, findViewer, config } = deps;
  const readRecord = prepareInstallRecord(database);
  const readHistory = prepareHistory(database);
  const settings = {
    app: config.app,
    requestedScopes: config.slack.botScopes,
    optionalScopes: config.slack.optionalBotScopes,
    supportUrl: config.supportUrl,
    privacyUrl: config.privacyUrl,
  };
  const install = new URL('/slack/install', config.http.publicUrl).href;

  return async ({ installationId, userId }) => {
    const record = await readRecord(installationId);
    if (!record || record.status === 'uninstalled') return undefined;
    const viewer = await findViewer(record, userId);
    const history = await readHistory(record.id, historyShown + 1);
    const { teamId } = record;
    const updatePermissionsUrl =
      teamId === null ? install : `${install}?${new URLSearchParams({ team: teamId })}`;
    const view = homeView({ ...settings, record, history, viewer, updatePermissionsUrl });
    const text = JSON.stringify(view);
    return { record, view, text, hash: hash('sha256', `[${record.installedAt},${text}]`) };
  };
}
