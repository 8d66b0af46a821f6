import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Texts, Words } from '../texts/create-texts.ts';
import type { Brand } from './brand.ts';
import { type Html, html } from './html.ts';
import { type ConnectQuestion, connectPage } from './pages/connect-page.ts';
import { failurePage } from './pages/failure-page.ts';
import { type FailureKind, failurePages } from './pages/failure-texts.ts';
import { landingPage } from './pages/landing-page.ts';
import { slackMark } from './pages/marks.ts';
import { notePage } from './pages/note-page.ts';
import { newNonce, pageHeaders } from './pages/page-headers.ts';
import { type ProgressPageContent, progressPage } from './pages/progress-page.ts';
import { type RecordPageContent, recordPage } from './pages/record-page.ts';
import { createSite, type PageFrame } from './pages/site.ts';

/** A failure to show: which page, and the error by name if it says more than the page's kind. */
export interface ShownFailure {
  kind: FailureKind;
  code?: string;
  /** The id of the install request, which the log and the operator's list know too. */
  requestId?: string;
  tokensRevoked?: boolean;
  /** Whether Slack may have let the app in although we did not hear of it. */
  mayHaveActed?: boolean;
  /** Why the gate refused, in the app's own words. */
  reason?: string;
  /** When to try again, for a limit: said on the page and in Retry-After. */
  retryAfterSeconds?: number;
  /** The HTTP status, if it is not the page's usual one. */
  status?: number;
  /** The workspace that was asked for, so that trying again asks for the same. */
  teamId?: string;
  /** Whether a member was connecting their account, so that trying again does the same. */
  member?: boolean;
  /** The path of the page that was asked for, the base path included, if trying again means to ask for it again. */
  path?: string;
}

/**
 * Makes the senders of every page an installer sees, in the language that their browser asks for. A response that was
 * answered already (a callback that took too long) is left alone: none of them throws.
 * @throws Error if the logo cannot be read
 */
export function createSendPages(deps: { config: Config; brand: Brand; texts: Texts }) {
  const { config, brand, texts } = deps;
  const { slack, http } = config;
  const site = createSite(brand, http);
  const logo = brand.logo === null ? undefined : readFileSync(brand.logo);

  function send(
    res: ServerResponse,
    status: number,
    options: {
      noIndex?: boolean;
      headers?: Record<string, string | string[]>;
      /** Where the answers to the page's forms lead, besides this origin; without it, the page has no forms. */
      formLeadsTo?: readonly string[];
      /** The reader's own locale; without it, the browser's language counts. */
      locale?: string | null;
    },
    page: (frame: PageFrame) => string,
  ): void {
    if (res.headersSent) return;
    const nonce = newNonce();
    const words = options.locale ? texts.forLocale(options.locale) : wordsFor(res.req);
    const body = Buffer.from(page({ site, words, nonce }));
    // Slack's provider sets a cookie of its own to be deleted; it means nothing to a browser.
    res.removeHeader('Set-Cookie');
    res.writeHead(status, {
      ...pageHeaders({
        nonce,
        secure: http.secure,
        noIndex: options.noIndex,
        ...(options.formLeadsTo && { formAction: 'self', formLeadsTo: options.formLeadsTo }),
      }),
      'Content-Language': words.language,
      Vary: 'Accept-Language',
      ...options.headers,
      'Content-Length': body.length,
    });
    res.end(body);
  }

  /** A request that was made by hand may have no headers at all. */
  function wordsFor(req: Pick<IncomingMessage, 'headers'> | undefined): Words {
    return texts.forRequest(req?.headers?.['accept-language']);
  }

  return {
    site,
    wordsFor,

    sendLanding(res: ServerResponse): void {
      const content = {
        botScopes: slack.botScopes,
        optionalBotScopes: slack.optionalBotScopes,
        userScopes: slack.userScopes,
        offersSignIn: config.signIn !== undefined,
      };
      send(res, 200, {}, (frame) => landingPage({ ...frame, ...content }));
    },

    /** `GET /brand/logo`: the one picture that pages show. An hour in the browser's cache: it changes with a release. */
    sendLogo(res: ServerResponse): void {
      if (logo === undefined || site.logoType === undefined) {
        this.sendFailure(res, { kind: 'not_found' });
        return;
      }
      res.writeHead(200, {
        'Content-Type': site.logoType,
        'Content-Length': logo.length,
        'Cache-Control': 'public, max-age=3600',
        'X-Content-Type-Options': 'nosniff',
        // An SVG that is opened by itself runs none of its scripts.
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      });
      res.end(logo);
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

    /** The install record for a person who signed in, in their own language; `record` draws it. */
    sendRecord(
      res: ServerResponse,
      { locale, ...about }: Omit<RecordPageContent, keyof PageFrame | 'record'> & { locale: string | null },
      record: (frame: PageFrame) => Html,
    ): void {
      send(res, 200, { noIndex: true, formLeadsTo: [], locale }, (frame) =>
        recordPage({ ...frame, ...about, record: record(frame) }),
      );
    },

    /** A person has erased what was stored about them, and is signed out with that. */
    sendErased(res: ServerResponse): void {
      const { name: app } = site.brand;
      send(res, 200, { noIndex: true }, (frame) =>
        notePage({
          ...frame,
          heading: frame.words.text('record.erased.title'),
          what: frame.words.text('record.erased.what', { app }),
          action: html`<a class="button" href="${site.path('/')}">${frame.words.text('failure.startPage')}</a>`,
        }),
      );
    },

    /** A member has connected their account; `openUrl` leads to the app in Slack. */
    sendMember(res: ServerResponse, openUrl: string): void {
      const { name: app } = site.brand;
      send(res, 200, { noIndex: true }, (frame) =>
        notePage({
          ...frame,
          heading: frame.words.text('member.title'),
          what: frame.words.text('member.what', { app }),
          action: html`<a class="button" href="${openUrl}">${frame.words.text('progress.open')}</a>`,
        }),
      );
    },

    /** `POST /slack/signout`; `setCookie` removes the session's cookie. */
    sendSignedOut(res: ServerResponse, setCookie: string): void {
      const { name: app } = site.brand;
      send(res, 200, { noIndex: true, headers: { 'Set-Cookie': setCookie } }, (frame) =>
        notePage({
          ...frame,
          heading: frame.words.text('signin.signedOut.title'),
          what: frame.words.text('signin.signedOut.what', { app }),
          action: html`<a class="button button-slack" href="${site.path('/slack/signin')}">${slackMark}<span>${frame.words.text('signin.button')}</span></a>`,
        }),
      );
    },

    sendFailure(res: ServerResponse, failure: ShownFailure, headers: Record<string, string> = {}): void {
      const { teamId, member, status, ...content } = failure;
      const { kind, retryAfterSeconds } = content;
      const path = kind === 'wrong_host' ? `${http.publicUrl}${content.path ?? '/'}` : content.path;
      const query = new URLSearchParams(teamId && { team: teamId });
      // Only an install helps a workspace that does not have the app.
      if (member && kind !== 'not_installed') query.set('member', '1');
      const retryPath = query.size > 0 ? `/slack/install?${query}` : undefined;
      const retryAfter = retryAfterSeconds && { 'Retry-After': String(retryAfterSeconds) };
      const options = { noIndex: true, headers: { ...headers, ...retryAfter } };
      send(res, status ?? failurePages[kind].status, options, (frame) =>
        failurePage({ ...frame, ...content, retryPath, path }),
      );
    },
  };
}

export type SendPages = ReturnType<typeof createSendPages>;
