import type { ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import { type ConnectQuestion, connectPage } from './pages/connect-page.ts';
import { failurePage } from './pages/failure-page.ts';
import { type FailureKind, failurePages } from './pages/failure-texts.ts';
import { landingPage } from './pages/landing-page.ts';
import { newNonce, pageHeaders } from './pages/page-headers.ts';
import { type ProgressPageContent, progressPage } from './pages/progress-page.ts';
import type { PageFrame, Site } from './pages/site.ts';

/** A failure to show: which page, and the error by name where it says more than the page's kind. */
export interface ShownFailure {
  kind: FailureKind;
  code?: string;
  tokensRevoked?: boolean;
  /** Whether Slack may have let the app in without our hearing of it. */
  mayHaveActed?: boolean;
  /** When to try again, for a limit: said on the page and in Retry-After. */
  retryAfterSeconds?: number;
  /** The HTTP status, where it is not the page's usual one. */
  status?: number;
  /** The workspace that was asked for, so that trying again asks for the same. */
  teamId?: string;
  /** The path of the page that was asked for, where trying again means to ask for it again. */
  path?: string;
  /** Why a rule of the app refuses, in the words of its author; escaped. */
  reason?: string;
}

/**
 * Makes the senders of every page an installer sees. A response that was answered already (a callback that took too
 * long) is left alone: none of them throws.
 */
export function createSendPages(deps: { config: Config }) {
  const { app, slack, http, privacyUrl, supportUrl } = deps.config;
  const site: Site = { appName: app.name, privacyUrl, supportUrl };

  function send(
    res: ServerResponse,
    status: number,
    options: {
      noIndex?: boolean;
      headers?: Record<string, string | string[]>;
      formLeadsTo?: readonly string[];
    },
    page: (frame: PageFrame) => string,
  ): void {
    if (res.headersSent) return;
    const nonce = newNonce();
    const body = Buffer.from(page({ site, nonce }));
    // Slack's provider sets a cookie of its own to be deleted; it means nothing to a browser.
    res.removeHeader('Set-Cookie');
    res.writeHead(status, {
      ...pageHeaders({
        nonce,
        secure: http.secure,
        noIndex: options.noIndex,
        ...(options.formLeadsTo && { formAction: 'self', formLeadsTo: options.formLeadsTo }),
      }),
      ...options.headers,
      'Content-Length': body.length,
    });
    res.end(body);
  }

  return {
    site,

    sendLanding(res: ServerResponse): void {
      const content = {
        description: app.description,
        botScopes: slack.botScopes,
        optionalBotScopes: slack.optionalBotScopes,
        userScopes: slack.userScopes,
      };
      send(res, 200, {}, (frame) => landingPage({ ...frame, ...content }));
    },

    sendProgress(res: ServerResponse, content: Omit<ProgressPageContent, keyof PageFrame>): void {
      send(res, 200, { noIndex: true }, (frame) => progressPage({ ...frame, ...content }));
    },

    /** Asks for a press before a workspace is connected; `setCookie` binds the form to this browser. */
    sendConnectQuestion(
      res: ServerResponse,
      question: Omit<ConnectQuestion, 'action'>,
      setCookie: string,
    ): void {
      const action = `${http.basePath}/slack/install`;
      // Slack leads on to the workspace's own host, and a cancel back to the host product.
      const formLeadsTo = [
        'https:',
        new URL(slack.authorizationUrl).origin,
        ...(deps.config.connect?.returnOrigins ?? []),
      ];
      const options = { noIndex: true, headers: { 'Set-Cookie': setCookie }, formLeadsTo };
      send(res, 200, options, (frame) => connectPage({ ...frame, ...question, action }));
    },

    sendFailure(res: ServerResponse, failure: ShownFailure, headers: Record<string, string> = {}): void {
      const { kind, code, tokensRevoked, mayHaveActed, retryAfterSeconds, teamId, reason } = failure;
      const path = kind === 'wrong_host' ? `${http.publicUrl}${failure.path ?? '/'}` : failure.path;
      const retryUrl = teamId && `/slack/install?team=${encodeURIComponent(teamId)}`;
      const status = failure.status ?? failurePages[kind].status;
      const content = { kind, code, tokensRevoked, mayHaveActed, retryAfterSeconds, retryUrl, path, reason };
      const retryAfter = retryAfterSeconds && { 'Retry-After': String(retryAfterSeconds) };
      send(res, status, { noIndex: true, headers: { ...headers, ...retryAfter } }, (frame) =>
        failurePage({ ...frame, ...content }),
      );
    },
  };
}

export type SendPages = ReturnType<typeof createSendPages>;
