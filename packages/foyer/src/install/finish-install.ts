import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Installation } from '@slack/oauth';
import type { Config } from '../config/config.ts';
import { type Logger, logAttempt, withLineIds } from '../config/log.ts';
import { type OpenSpan, type TraceSpan, traceOf, untraced } from '../config/tracing.ts';
import {
  type ConflictRule,
  commitConnection,
  InstallRefusedError,
  LinkUsedError,
  MoveUnconfirmedError,
} from '../connections/commit-connection.ts';
import { createLink, type LinkClaims } from '../connections/link.ts';
import { formLifetimeMs, type LinkCookies } from '../connections/link-cookies.ts';
import type { InstallEnd, Returns } from '../connections/returns.ts';
import { type Database, DatabaseUnavailableError, type Tx } from '../database/database.ts';
import {
  consumeState,
  failInstallRequest,
  findInstallRequest,
  type NewInstallRequest,
  recordUnusedRequest,
} from '../database/install-requests.ts';
import type { InstallRequestRow } from '../database/records.ts';
import type { FailureKind } from '../http/pages/failure-texts.ts';
import { leadTo } from '../http/request-handler.ts';
import type { SendPages } from '../http/send-pages.ts';
import {
  type InstallationStore,
  type RecordedInstall,
  tenantOfInstallation,
  tenantOfQuery,
} from '../installations/installation-store.ts';
import { type SlackCalls, slackClientOptions } from '../slack/create-slack-client.ts';
import { type CallbackFailure, exchangeFailure, redirectFailure } from './callback-failure.ts';
import { type AskGate, gateTimeLimitMs } from './gate.ts';
import { createInstallProvider, providerCookieName } from './install-provider.ts';
import {
  type InstallingBrowser,
  progressHash,
  progressPath,
  type StateContent,
  type States,
  type StateVerdict,
} from './state.ts';
import { exchangeTimeoutMs, type UnstoredTokens } from './unstored-tokens.ts';

/**
 * The OAuth callback, in the order of the numbers in the code:
 *
 * 1. Judge the state. Foyer writes nothing and does not call Slack before it knows that the state is its own, has not
 *    expired and belongs to this browser.
 * 2. Answer a callback that has no code, or whose state was refused.
 * 3. Consume the state. A second callback with the same state leads to the first one's page.
 * 4. Exchange the code. Until the tokens are stored, Foyer keeps them with the install request, so that it can revoke
 *    them if it cannot store them.
 * 5. Check the workspace against the link, and ask the app's gate.
 * 6. Store the installation, its connection and its run in one transaction, and wake the worker.
 * 7. Answer with the progress page, or redirect to the host.
 * 8. If 4, 5 or 6 failed: revoke the tokens, record the outcome, and say what to do.
 */

/** The time limits for the parts of a callback. The whole request must end within ten seconds (invariant 10). */
const slackBudgetMs = 6500;
const slackCallMs = 4500;
const storeUntilMs = 7000;
const giveBackMs = 1200;

/** Thrown inside the provider when a state is used a second time. */
class StateUsedError extends Error {
  override readonly name = 'StateUsedError';
  readonly code = 'state_used';
}

/** Failures of an install that only the operator can fix. */
const needsOperator: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'app_misconfigured',
  'app_not_distributed',
  'database_unavailable',
  'gate_failed',
  'internal',
  'scope_invalid',
]);

export interface FinishInstallDeps {
  config: Config;
  database: Database;
  states: States;
  store: InstallationStore;
  unstoredTokens: UnstoredTokens;
  /** Makes the worker start the run soon. Must not throw, because the install is already stored. */
  wakeWorker(): void;
  pages: Pick<SendPages, 'sendFailure' | 'sendConnectQuestion'>;
  returns: Returns;
  cookies: LinkCookies;
  /** What Foyer does if the workspace already belongs to another account. */
  onConflict: ConflictRule;
  /** Asks the app's gate; absent if the app has none. */
  askGate?: AskGate;
  slackCalls: SlackCalls;
  /** Traces the callback. If absent, Foyer creates no span. */
  span?: TraceSpan;
  /** Called after the install, its connection and its run were committed. Must not throw. */
  onStored?(
    runId: string,
    origin: { requestId: string; callbackAt: number; trace: OpenSpan['context'] },
  ): void;
  /**
   * Called when an OAuth attempt ends with a known outcome. refused: Foyer did not accept the callback, or a rule such
   * as the gate refused the install. unverified: the attempt failed in a way that any stranger can cause. Must not
   * throw.
   */
  onEnded?(outcome: 'installed' | 'cancelled' | 'failed' | 'refused' | 'unverified'): void;
  browsers: Pick<InstallingBrowser, 'bind'>;
  /** Called when a callback has installed the app or connected a member's account. Must not throw. */
  onInstalled?(req: IncomingMessage): void;
  /** Called when a member has connected their account. Must not throw. */
  onMember?(member: { installationId: string; userId: string }, userToken: string | undefined): void;
  /** Called after an install that began with a connect link has been stored. Must not throw. */
  onConnected?(): void;
  now: () => number;
  log: Logger;
}

/** Makes the handler of `GET /slack/oauth_redirect`. The handler either ends the response or throws. */
export function createFinishInstall(deps: FinishInstallDeps) {
  const { config, database, log, now, pages, span = untraced } = deps;

  const asRequest = (content: StateContent): NewInstallRequest => ({
    id: content.id,
    clientId: config.slack.clientId,
    progressHash: progressHash(content.progressToken),
    requestedTeamId: content.teamId ?? null,
    now: now(),
  });

  return finishInstall;

  async function finishInstall(req: IncomingMessage, res: ServerResponse): Promise<void> {
    // 1. Judge the state.
    const query = new URL(req.url ?? '/', 'http://localhost').searchParams;
    const verdict = deps.states.judge(query.get('state'), req.headers.cookie);
    const requestId = requestIdOf(verdict);
    const attributes = { 'foyer.request_id': requestId };
    await span('foyer callback', { kind: 'server', parent: traceOf(req.headers), attributes }, (opened) => {
      const ids = { requestId, traceId: opened.context?.traceId };
      return withLineIds(ids, () => answerCallback(req, res, { query, verdict, opened }));
    });
  }

  async function answerCallback(
    req: IncomingMessage,
    res: ServerResponse,
    about: { query: URLSearchParams; verdict: StateVerdict<StateContent>; opened: OpenSpan },
  ): Promise<void> {
    // 2. Answer a callback that has no code, or whose state was refused.
    const { query, verdict, opened } = about;
    const error = query.get('error');
    // A stranger's browser must not learn which workspace was requested.
    const isOwnBrowser = verdict.ok || verdict.fault === 'state_expired';
    const teamId = isOwnBrowser ? verdict.content?.teamId : undefined;
    const requestId = requestIdOf(verdict);
    if (error) {
      const failure = redirectFailure(error);
      if (verdict.ok) await recordUnused(verdict.content, failure);
      const ended = outcomeOf(failure);
      deps.onEnded?.(!verdict.ok ? 'refused' : ended === 'failed' ? 'unverified' : ended);
      // If Foyer did not make the state, a stranger may have written the error code, so Foyer logs only the kind of
      // failure.
      const code = requestId === undefined ? failure.kind : failure.code;
      logAttempt(
        log,
        { requestId, outcome: failure.kind, code },
        'callback received with an error instead of a code',
      );
      const member = verdict.content?.member;
      const showPage = (connect?: string): void =>
        pages.sendFailure(res, { ...failure, teamId, member, connect, requestId });
      if (!isOwnBrowser || !verdict.content) return showPage();
      return answer(res, verdict.content, { outcome: outcomeOf(failure), error: failure.code }, showPage);
    }
    if (!query.get('code') || !verdict.ok) deps.onEnded?.('refused');
    if (!query.get('code')) {
      const code = 'code_missing';
      logAttempt(log, { requestId, code }, 'callback refused');
      const member = verdict.content?.member;
      const showPage = (connect?: string): void =>
        pages.sendFailure(res, { kind: code, code, teamId, member, connect, requestId });
      if (!isOwnBrowser || !verdict.content) return showPage();
      return answer(res, verdict.content, { outcome: 'failed', error: code }, showPage);
    }
    if (!verdict.ok) {
      logAttempt(log, { requestId, code: verdict.fault }, 'callback refused');
      if (verdict.content) return answerUsedState(res, verdict.content, verdict.fault);
      return pages.sendFailure(res, { kind: verdict.fault, code: verdict.fault });
    }
    return exchange(req, res, verdict.content, opened);
  }

  async function exchange(
    req: IncomingMessage,
    res: ServerResponse,
    content: StateContent,
    opened: OpenSpan,
  ): Promise<void> {
    const startedAt = performance.now();
    const callbackAt = now();
    const limits = { timeoutMs: slackCallMs, signal: AbortSignal.timeout(slackBudgetMs) };
    const tokens = deps.unstoredTokens.watch(content.id, {
      page: slackClientOptions(deps.slackCalls, limits),
      exchange: (given) => slackClientOptions(deps.slackCalls, { timeoutMs: exchangeTimeoutMs, ...given }),
      wantedUntil: AbortSignal.any([limits.signal, AbortSignal.timeout(slackCallMs)]),
    });
    let recorded: RecordedInstall | undefined;
    let place: InstallEnd['place'];
    let authTest: { url?: string } = {};
    let isInstalled = false;
    let isStoring = false;
    let leavesTokens = false;

    const provider = createInstallProvider(deps, {
      // 3. Consume the state.
      async consumeState() {
        const fresh = await database.write((trx) => consumeState(trx, asRequest(content)), 1500);
        if (!fresh) throw new StateUsedError('this state was used before');
      },
      // 4. Exchange the code.
      clientOptions: {
        ...tokens.options,
        async fetch(input: string | URL | Request, init?: RequestInit) {
          const response = await tokens.options.fetch(input, init);
          if (String(input).endsWith('/auth.test')) authTest = await readAuthTest(response.clone());
          return response;
        },
      },
      async store(installation) {
        // 5. Check the workspace against the link, and ask the app's gate.
        place = placeOf(installation);
        assertWorkspace(content.link, place);
        const leftMs = (): number => storeUntilMs - (performance.now() - startedAt);
        leavesTokens = tokens.exceed(installation);
        const request = { installRequestId: content.id, issuedAt: tokens.issuedAt(), leavesTokens };
        if (content.member) {
          isStoring = true;
          const patienceMs = Math.max(500, leftMs());
          const { installationId } = await deps.store.recordMember(installation, { ...request, patienceMs });
          log.info({ installationId, userId: installation.user.id }, 'a member connected their account');
          const { id: userId, token } = installation.user;
          deps.onMember?.({ installationId, userId }, token);
          return;
        }
        const limitMs = Math.min(gateTimeLimitMs, Math.max(500, leftMs()));
        await deps.askGate?.(installation, { link: content.link, url: authTest.url ?? null, limitMs });
        // 6. Store the installation, its connection and its run, and wake the worker.
        const { link } = content;
        isStoring = true;
        recorded = await deps.store.recordInstall(installation, {
          ...request,
          patienceMs: Math.max(500, leftMs()),
          commitWith:
            link && ((trx, install) => connect(trx, { installation, install, link, moves: content.moves })),
        });
        deps.onStored?.(recorded.runId, { requestId: content.id, callbackAt, trace: opened.context });
      },
    });

    /** Commits the connection in the install's transaction, so that both are stored or neither is (invariant 1). */
    const connect = (
      trx: Tx,
      about: { installation: Installation; install: RecordedInstall; link: LinkClaims; moves?: string },
    ): Promise<void> =>
      commitConnection(trx, {
        ...about.install,
        clientId: config.slack.clientId,
        userId: about.installation.user.id,
        progressHash: progressHash(content.progressToken),
        confirmedMove: about.moves === tenantOfInstallation(about.installation),
        link: about.link,
        rule: deps.onConflict,
        now: now(),
      });

    const hostsCookies = res.getHeader('Set-Cookie');
    // The provider overwrites the `Set-Cookie` header that the host has set. The provider's header only deletes its own
    // cookie, and no browser has that cookie.
    const restoreCookies = (): void => {
      if (res.headersSent) return;
      res.removeHeader('Set-Cookie');
      if (hostsCookies !== undefined) res.setHeader('Set-Cookie', hostsCookies);
    };
    await provider.handleCallback(providerRequest(req), res, {
      success() {
        // Nothing in this function may throw. If it did, the provider would report a stored install as failed.
        isInstalled = true;
        restoreCookies();
        deps.onEnded?.('installed');
        deps.onInstalled?.(req);
        if (content.member) return;
        deps.wakeWorker();
        if (content.link) deps.onConnected?.();
        log.info(
          { installationId: recorded?.installationId, runId: recorded?.runId, outcome: recorded?.kind },
          'installed',
        );
      },
      failureAsync(error) {
        restoreCookies();
        return answerFailure(req, res, { content, error, opened, tokens, place, isStoring });
      },
    });
    // 7. Answer with the progress page, or redirect to the host.
    if (isInstalled && leavesTokens) {
      const tokensRevoked = await tokens.giveBack(giveBackMs);
      log.warn({ tokensRevoked }, 'Slack issued tokens that the install does not use');
    }
    if (isInstalled && content.member) toProgress(res, content);
    if (isInstalled && recorded) {
      const { installationId, runId } = recorded;
      const end = { outcome: 'installed', place, installationId, runId } as const;
      await answer(res, content, end, () => toProgress(res, content));
    }
  }

  /** 8. If the exchange, a check or the store failed: revokes the tokens, records the outcome, and says what to do. */
  async function answerFailure(
    req: IncomingMessage,
    res: ServerResponse,
    about: {
      content: StateContent;
      error: Error;
      opened: OpenSpan;
      tokens: ReturnType<UnstoredTokens['watch']>;
      place: InstallEnd['place'];
      /** Whether Foyer had begun to store the install. */
      isStoring: boolean;
    },
  ): Promise<void> {
    const { content, error, opened, tokens, place, isStoring } = about;
    if (error instanceof StateUsedError) {
      deps.onEnded?.('refused');
      return answerUsedState(res, content, 'state_used');
    }
    if (isStoring && error instanceof DatabaseUnavailableError && error.mayBeCommitted) {
      // It is unknown whether the install was stored, so Foyer does not revoke the tokens now. `recoverInstalls` finds
      // out later. If the install was stored, it erases the kept tokens; otherwise, it revokes them (invariant 1).
      log.error({ err: error }, 'it is unknown whether an install was stored');
      const path = progressPath(config.http, content.progressToken);
      return pages.sendFailure(res, {
        kind: 'outcome_unknown',
        code: error.code,
        path,
        requestId: content.id,
      });
    }
    const failure = exchangeFailure(error);
    const outcome: 'failed' | 'refused' = failure.outcome ?? 'failed';
    // Anyone can send an invented code. A code that Slack refuses therefore counts as `unverified`: it does not show
    // that installs of the app fail.
    deps.onEnded?.(failure.kind === 'code_invalid' ? 'unverified' : outcome);
    const tokensRevoked = await tokens.giveBack(giveBackMs);
    opened.fail(failure.code);
    // This logs one short line for each failure, with the id that its page shows. An outage causes thousands of
    // failures, so the log limits the lines that contain causes.
    log.info({ code: failure.code, tokensRevoked }, `install ${outcome}`);
    if (outcome === 'failed') {
      const level = needsOperator.has(failure.kind) ? 'error' : 'warn';
      log[level]({ err: error, code: failure.code }, 'the cause of a failed install');
    }
    const failed = { id: content.id, outcome, errorCode: failure.code, now: now() };
    await database
      .write((trx) => failInstallRequest(trx, failed), 300)
      .catch((cause) => log.warn({ err: cause }, 'could not record a failed install'));
    if (error instanceof MoveUnconfirmedError) return askToMove(req, res, content, place);
    if (error instanceof LinkUsedError && content.link) {
      const earlier = await deps.returns.earlierUse(content.link);
      if (earlier.kind === 'used' && earlier.location !== undefined)
        return leadTo(res, 303, earlier.location);
    }
    await answer(res, content, { outcome, error: failure.code, place }, (connect) =>
      pages.sendFailure(res, {
        ...failure,
        tokensRevoked,
        teamId: content.teamId,
        member: content.member,
        connect,
        requestId: content.id,
      }),
    );
  }

  /**
   * Asks the installer whether to move the workspace to the account of the link. They have just shown that they may
   * install the app in this workspace. The form contains a newly signed link. If the installer agrees, `/slack/install`
   * sends them to Slack once more.
   */
  async function askToMove(
    req: IncomingMessage,
    res: ServerResponse,
    content: StateContent,
    place: InstallEnd['place'],
  ): Promise<void> {
    const { link } = content;
    const token = await linkAgain(content);
    if (!link || !token || !place)
      throw new Error('cannot ask whether to move the workspace: the link or the workspace is missing');
    const moves = tenantOfQuery({ ...place, isEnterpriseInstall: place.orgWide });
    const { value: ticket, setCookie } = deps.cookies.issueForm({ link: token, moves }, req.headers.cookie);
    const account = link.label ?? link.org;
    pages.sendConnectQuestion(res, { kind: 'move', account, teamName: place.teamName, ticket }, setCookie);
  }

  /**
   * Answers a callback whose state was used, has expired or belongs to another browser: with a page that says so. But
   * if the browser is the state's own, and the state has led to an install or its code exchange is still in progress,
   * redirects the browser to the progress page or back to the host.
   */
  async function answerUsedState(
    res: ServerResponse,
    content: StateContent,
    fallback: FailureKind,
  ): Promise<void> {
    const request = await findInstallRequest(database.queries, progressHash(content.progressToken));
    if (fallback === 'state_wrong_browser') {
      // This browser may be a stranger's, so Foyer redirects it neither to the progress page nor to the host.
      const kind = request?.outcome === 'installed' ? 'state_used' : fallback;
      return pages.sendFailure(res, { kind, code: kind, requestId: content.id });
    }
    const leadsBack =
      request?.outcome === 'installed' || (request?.outcome === 'started' && fallback === 'state_used');
    if (leadsBack) {
      const location = await earlierLocation(content, request);
      return location === undefined ? toProgress(res, content) : leadTo(res, 303, location);
    }
    await answer(res, content, { outcome: 'failed', error: fallback }, (connect) =>
      pages.sendFailure(res, {
        kind: fallback,
        code: fallback,
        teamId: content.teamId,
        member: content.member,
        connect,
        requestId: content.id,
      }),
    );
  }

  /** Returns where the host receives the result of an earlier callback; undefined if Foyer shows its own page. */
  async function earlierLocation(
    content: StateContent,
    { installation_id: installationId, run_id: runId }: InstallRequestRow,
  ): Promise<string | undefined> {
    if (content.link) {
      const earlier = await deps.returns.earlierUse(content.link);
      return earlier.kind === 'used' ? earlier.location : undefined;
    }
    if (content.member || installationId === null) return undefined;
    return deps.returns.afterInstall(content.id, { installationId, runId });
  }

  /** Redirects the verified browser to its progress page. Only this browser may answer a question there. */
  function toProgress(res: ServerResponse, content: StateContent): void {
    const cookies = deps.browsers.bind(content.id, res.req.headers.cookie);
    leadTo(res, 303, progressPath(config.http, content.progressToken), cookies);
  }

  /**
   * Redirects to the host with a signed result. For a member, or if there is no return address, shows Foyer's own page.
   * The page of a failed attempt receives the attempt's link: the page's button must start the next attempt with the
   * same link.
   */
  async function answer(
    res: ServerResponse,
    content: StateContent,
    end: InstallEnd,
    showPage: (connect?: string) => void,
  ): Promise<void> {
    // Only an install returns a result to the host, not the connection of a member's account.
    const location = content.member
      ? undefined
      : await deps.returns.toHost({ requestId: content.id, link: content.link }, end);
    if (location !== undefined) leadTo(res, 303, location);
    else showPage(end.outcome === 'installed' ? undefined : await linkAgain(content));
  }

  /**
   * Signs an attempt's link again, so that the link is valid for another half hour. Resolves to undefined if the
   * attempt had no link.
   */
  async function linkAgain({ link }: StateContent): Promise<string | undefined> {
    const times = { now: now(), expiresAt: now() + formLifetimeMs };
    return link && config.connect && createLink(config.connect, link, times);
  }

  /**
   * Records an attempt that ended without a code. The page does not need this record, so if the write fails, this only
   * logs the failure.
   */
  async function recordUnused(content: StateContent, failure: CallbackFailure): Promise<void> {
    const end = { outcome: outcomeOf(failure), errorCode: failure.code } as const;
    await database
      .write((trx) => recordUnusedRequest(trx, asRequest(content), end), 1000)
      .catch((error) => log.warn({ err: error }, 'could not record an install request'));
  }
}

function placeOf({ team, enterprise, isEnterpriseInstall = false }: Installation) {
  return {
    teamId: isEnterpriseInstall ? null : (team?.id ?? null),
    teamName: isEnterpriseInstall ? null : (team?.name ?? null),
    enterpriseId: enterprise?.id ?? null,
    orgWide: isEnterpriseInstall,
  };
}

/**
 * Refuses the workspace if it is not the one that the link names. Slack treats `?team=` only as a suggestion, so the
 * installer can choose another workspace.
 */
function assertWorkspace(link: LinkClaims | undefined, place: ReturnType<typeof placeOf>): void {
  const chosen = place.orgWide ? place.enterpriseId : place.teamId;
  if (link?.team !== undefined && link.team !== chosen) throw new InstallRefusedError('other_workspace');
}

async function readAuthTest(response: Response): Promise<{ url?: string }> {
  const body: unknown = await response.json().catch(() => undefined);
  const url = typeof body === 'object' && body !== null && 'url' in body ? body.url : undefined;
  return typeof url === 'string' ? { url } : {};
}

/**
 * Returns the request in the form that the provider expects: the state is in a cookie with a fixed name. The provider
 * compares this cookie with the state in the address. Foyer has already checked its own cookie for this state, so the
 * provider gets no other cookie.
 */
function providerRequest(req: IncomingMessage): IncomingMessage {
  const url = new URL(req.url ?? '/', 'http://localhost');
  const cookie = `${providerCookieName}=${url.searchParams.get('state')}`;
  return Object.create(req, { headers: { value: { host: 'localhost', cookie } } });
}

function outcomeOf(failure: CallbackFailure): 'cancelled' | 'failed' {
  return failure.kind === 'access_denied' ? 'cancelled' : 'failed';
}

function requestIdOf(verdict: { content?: StateContent }): string | undefined {
  return verdict.content?.id;
}
