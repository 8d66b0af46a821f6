import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import { hearsDirectMessages } from '../config/manifest.ts';
import { type Database, DatabaseUnavailableError } from '../database/database.ts';
import {
  type InstallRecord,
  type RunRecord,
  readInstallRecord,
  readRun,
} from '../database/install-record.ts';
import { findInstallRequest } from '../database/install-requests.ts';
import {
  type AnswerOutcome,
  listQuestions,
  longestAnswer,
  type QuestionKey,
  type QuestionRecord,
} from '../database/questions.ts';
import type { InstallRequestRow } from '../database/records.ts';
import { answerNotices, type ShownQuestion } from '../http/pages/progress-question.ts';
import { type Progress, type ProgressStatus, progressStatus } from '../http/pages/progress-status.ts';
import type { BodyReader } from '../http/read-body.ts';
import { isFromHere, readForm } from '../http/read-form.ts';
import { leadTo } from '../http/request-handler.ts';
import type { SendPages } from '../http/send-pages.ts';
import { openInSlack } from '../slack/slack-text.ts';
import type { StepFaces } from '../texts/create-texts.ts';
import { interruptedAfterMs } from './recover-installs.ts';
import { type InstallingBrowser, progressHash, progressPath } from './state.ts';

/** How long a person can open a progress page. Its address is a secret, so it expires. */
export const progressLifetimeMs = 24 * 3_600_000;

/** What Foyer knows now about the install that a progress token belongs to. */
interface Watched {
  request: InstallRequestRow;
  record: InstallRecord | undefined;
  run: RunRecord | undefined;
  /** The question that the run waits for; undefined if there is none. */
  asked: QuestionRecord | undefined;
}

/**
 * The size limit of the form: its hidden value and the longest answer. In a URL-encoded form, a character takes up to
 * nine bytes.
 */
const mostAnswerBytes = longestAnswer * 9 + 4096;

/** Stores an answer from the person who installed the app. Resolves when the answer is committed or refused. */
export type AnswerHere = (
  record: InstallRecord,
  key: QuestionKey,
  given: { userId: string; answer: string },
) => Promise<AnswerOutcome>;

/** Returns whether the request connected a member's own account. Such a request starts no run. */
function isMember(request: InstallRequestRow): boolean {
  return request.outcome === 'installed' && request.run_id === null;
}

function progressOf({ request, record, run, asked }: Watched, mayAnswer: boolean, now: number): Progress {
  const teamName = record
    ? record.isEnterpriseInstall
      ? record.enterpriseName
      : record.teamName
    : request.team_name;
  const isRemoved = record?.status === 'uninstalled';
  if (!run) {
    if (isMember(request)) return { id: null, status: 'succeeded', teamName, steps: [], isRemoved };
    const interrupted = request.outcome === 'started' && now - request.started_at > interruptedAfterMs;
    const status = request.outcome === 'started' && !interrupted ? 'connecting' : 'not_installed';
    return { id: null, status, teamName, steps: [] };
  }
  const question = asked && { id: `${asked.stepName}/${asked.questionId}`, answeredHere: mayAnswer };
  return { ...run, teamName, question, cancelledBy: cancellerOf(run, record), isRemoved };
}

/**
 * Returns what explains a cancelled run: the app is uninstalled now, or there is a newer install. Undefined if neither
 * holds, for example because an operator revoked the tokens, or if the run was not cancelled.
 */
function cancellerOf(run: RunRecord, record: InstallRecord | undefined): Progress['cancelledBy'] {
  if (run.status !== 'cancelled') return undefined;
  if (record?.status === 'uninstalled') return 'uninstall';
  return record?.run && record.run.id !== run.id ? 'reinstall' : undefined;
}

/** Makes the handlers of `/installs/:token` and of its `/status`. A GET writes nothing; a POST answers a question. */
export function createShowProgress(deps: {
  config: Config;
  database: Database;
  pages: SendPages;
  /** The titles of the definition's steps, and which of them only operators see. */
  faces: StepFaces;
  browsers: InstallingBrowser;
  bodies: Pick<BodyReader, 'read'>;
  answerHere: AnswerHere;
  /** Whether the app has a listener for messages. */
  hearsMessages(): boolean;
  now: () => number;
}) {
  const { config, database, pages, faces, browsers, now } = deps;

  async function watch(token: string): Promise<Watched | 'not_found' | 'progress_expired'> {
    // Foyer looks up the token's hash, not the token, so that the time of the lookup reveals nothing about the token.
    const request = await findInstallRequest(database.queries, progressHash(token));
    if (!request || request.client_id !== config.slack.clientId || request.used_at === null)
      return 'not_found';
    if (now() - request.started_at > progressLifetimeMs) return 'progress_expired';
    const { installation_id: installationId, run_id: runId } = request;
    const record =
      installationId === null ? undefined : await readInstallRecord(database.queries, installationId);
    if (runId === null) return { request, record, run: undefined, asked: undefined };
    const newest = record?.run;
    const run = newest?.id === runId ? newest : await readRun(database.queries, runId);
    return { request, record, run, asked: run && (await openQuestion(run)) };
  }

  async function openQuestion(run: RunRecord): Promise<QuestionRecord | undefined> {
    if (run.status !== 'waiting' || run.waitingFor !== 'answer') return undefined;
    const questions = await listQuestions(database.queries, { runId: run.id });
    return questions.find(
      ({ answeredAt, expiresAt }) => answeredAt === null && (expiresAt === null || expiresAt > now()),
    );
  }

  /**
   * Returns whether this browser may answer. Only the browser that installed the app may, since other people may have
   * the page's address. If a question asks for a channel, the person answers in Slack, which lists only channels that
   * they can see.
   */
  function mayAnswer({ request, asked }: Watched, { headers }: IncomingMessage): boolean {
    if (!asked || asked.question.input.type === 'channel') return false;
    return request.user_id !== null && browsers.isBound(request.id, headers.cookie);
  }

  function shownQuestion(watched: Watched, path: string, req: IncomingMessage): ShownQuestion | undefined {
    const { asked, request } = watched;
    if (!asked) return undefined;
    const { text, input } = asked.question;
    const form = mayAnswer(watched, req) && { action: path, ticket: browsers.formFor(request.id, asked) };
    return { text, input, form: form || undefined };
  }

  /**
   * Like `watch`, but if the database does not answer, calls `whenDown`, which answers the request. The error still
   * reaches the server, which logs it.
   */
  async function watchOr(token: string, whenDown: (code: string) => void): ReturnType<typeof watch> {
    try {
      return await watch(token);
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) whenDown(error.code);
      throw error;
    }
  }

  /** Returns the state of the install, in the language that the reader's browser requests. */
  function statusOf(watched: Watched, res: ServerResponse): ProgressStatus {
    const shown = {
      app: pages.site.brand.name,
      words: pages.texts.forRequest(res.req.headers['accept-language']),
      faces,
    };
    return progressStatus(shown, progressOf(watched, mayAnswer(watched, res.req), now()));
  }

  return {
    async page(token: string, res: ServerResponse): Promise<void> {
      const path = progressPath(config.http, token);
      const watched = await watchOr(token, (code) =>
        pages.sendFailure(res, { kind: 'temporarily_unavailable', code, path }),
      );
      if (typeof watched === 'string') return pages.sendFailure(res, { kind: watched });
      const { record, request } = watched;
      const said = new URL(res.req.url ?? '/', 'http://localhost').searchParams.get('answer');
      if (record && record.status !== 'uninstalled' && isMember(request)) {
        return pages.sendMember(res, openInSlack(config, record).webUrl);
      }
      pages.sendProgress(res, {
        progress: statusOf(watched, res),
        statusUrl: `${path}/status`,
        question: shownQuestion(watched, path, res.req),
        notice: answerNotices.find((notice) => notice === said),
        hearsMessages:
          record && hearsDirectMessages(config.messagesTab, deps.hearsMessages(), record.botScopes ?? []),
        openInSlack: record && openInSlack(config, record),
      });
    },

    /** `POST /installs/:token`: stores the installer's answer, which the page's form sends. */
    async answer(token: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
      const path = progressPath(config.http, token);
      const refuse = (): void =>
        pages.sendFailure(res, { kind: 'form_expired', code: 'form_expired' }, { Connection: 'close' });
      if (!isFromHere(req.headers, config.http.publicUrl)) return refuse();
      const watched = await watchOr(token, (code) =>
        pages.sendFailure(res, { kind: 'temporarily_unavailable', code, path }, { Connection: 'close' }),
      );
      if (typeof watched === 'string')
        return pages.sendFailure(res, { kind: watched }, { Connection: 'close' });
      const { request, record } = watched;
      // If the request comes from another browser, Foyer does not read its body.
      if (!browsers.isBound(request.id, req.headers.cookie)) return refuse();
      const form = await readForm(deps.bodies, req, mostAnswerBytes);
      if (typeof form === 'number') return refuse();
      const key = browsers.readForm(request.id, form.get('ticket'));
      if (!key || key.runId !== request.run_id || !record || request.user_id === null) return refuse();
      // A form sends each line break as two characters; Slack sends it as one.
      const answer = (form.get('answer') ?? '').replaceAll('\r\n', '\n');
      const outcome = await deps.answerHere(record, key, { userId: request.user_id, answer });
      const notice = answerNotices.find((known) => known === outcome);
      leadTo(res, 303, notice ? `${path}?answer=${notice}` : path);
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
