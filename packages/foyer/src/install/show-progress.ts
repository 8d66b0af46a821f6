import type { ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import { type Database, DatabaseUnavailableError } from '../database/database.ts';
import {
  type InstallRecord,
  type RunRecord,
  readInstallRecord,
  readRun,
} from '../database/install-record.ts';
import { findInstallRequest } from '../database/install-requests.ts';
import type { InstallRequestRow } from '../database/records.ts';
import { type Progress, type ProgressStatus, progressStatus } from '../http/pages/progress-status.ts';
import type { SendPages } from '../http/send-pages.ts';
import { openInSlack } from '../slack/open-in-slack.ts';
import type { StepFaces } from '../texts/translation.ts';
import { interruptedAfterMs } from './recover-installs.ts';
import { progressHash, progressPath } from './state.ts';

/** How long a progress page can be opened: its address is a secret, so it expires. */
export const progressLifetimeMs = 24 * 3_600_000;

/** What a progress token leads to now. */
interface Watched {
  request: InstallRequestRow;
  record: InstallRecord | undefined;
  run: RunRecord | undefined;
}

function progressOf({ request, record, run }: Watched, now: number): Progress {
  const teamName = record
    ? record.isEnterpriseInstall
      ? record.enterpriseName
      : record.teamName
    : request.team_name;
  if (!run) {
    const interrupted = request.outcome === 'started' && now - request.started_at > interruptedAfterMs;
    const status = request.outcome === 'started' && !interrupted ? 'connecting' : 'not_installed';
    return { id: null, status, teamName, steps: [] };
  }
  const cancelledBy = record?.status === 'uninstalled' ? 'uninstall' : 'reinstall';
  return { ...run, teamName, cancelledBy: run.status === 'cancelled' ? cancelledBy : undefined };
}

/** Makes the handlers of `GET /installs/:token` and of its `/status`. They write nothing. */
export function createShowProgress(deps: {
  config: Config;
  database: Database;
  pages: SendPages;
  /** How the steps of the definition are shown. */
  faces: StepFaces;
  now: () => number;
}) {
  const { config, database, pages, faces, now } = deps;

  async function watch(token: string): Promise<Watched | 'not_found' | 'progress_expired'> {
    // The hash is looked up, not the token: the time that the lookup takes reveals nothing about the token.
    const request = await findInstallRequest(database.queries, progressHash(token));
    if (!request || request.client_id !== config.slack.clientId || request.used_at === null)
      return 'not_found';
    if (now() - request.started_at > progressLifetimeMs) return 'progress_expired';
    const { installation_id: installationId, run_id: runId } = request;
    const record =
      installationId === null ? undefined : await readInstallRecord(database.queries, installationId);
    if (runId === null) return { request, record, run: undefined };
    const newest = record?.run;
    const run = newest?.id === runId ? newest : await readRun(database.queries, runId);
    return { request, record, run };
  }

  /** If the database does not answer, `whenDown` answers; the error still reaches the server, which logs it. */
  async function watchOr(token: string, whenDown: (code: string) => void): ReturnType<typeof watch> {
    try {
      return await watch(token);
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) whenDown(error.code);
      throw error;
    }
  }

  /** The state of the install, in the language that the reader's browser asks for. */
  function statusOf(watched: Watched, res: ServerResponse): ProgressStatus {
    const shown = { app: pages.site.brand.name, words: pages.wordsFor(res.req), faces };
    return progressStatus(shown, progressOf(watched, now()));
  }

  return {
    async page(token: string, res: ServerResponse): Promise<void> {
      const path = progressPath(config.http, token);
      const watched = await watchOr(token, (code) =>
        pages.sendFailure(res, { kind: 'temporarily_unavailable', code, path }),
      );
      if (typeof watched === 'string') return pages.sendFailure(res, { kind: watched });
      const { record, request } = watched;
      // A member connected their account: that starts no run.
      if (record && request.outcome === 'installed' && request.run_id === null) {
        return pages.sendMember(res, openInSlack(config, record).webUrl);
      }
      pages.sendProgress(res, {
        progress: statusOf(watched, res),
        statusUrl: `${path}/status`,
        openInSlack: record && openInSlack(config, record),
      });
    },

    async status(token: string, res: ServerResponse): Promise<void> {
      const watched = await watchOr(token, (code) => sendJson(res, 503, { error: code }));
      if (typeof watched === 'string') return sendJson(res, 404, { error: watched });
      sendJson(res, 200, statusOf(watched, res));
    },
  };
}

export type ShowProgress = ReturnType<typeof createShowProgress>;

function sendJson(res: ServerResponse, status: number, value: object): void {
  // A request that took too long already has an answer.
  if (res.headersSent) return;
  const headers = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
  res
    .writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', ...headers })
    .end(JSON.stringify(value));
}
