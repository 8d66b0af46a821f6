import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Texts, Words } from '../texts/create-texts.ts';
import type { Brand } from './brand.ts';
import { type Html, html } from './html.ts';
import { type ConnectQuestion, connectPage } from './pages/connect-page.ts';
import { type FailurePageContent, failurePage } from './pages/failure-page.ts';
import { failurePages } from './pages/failure-texts.ts';
import { landingPage } from './pages/landing-page.ts';
import { slackMark } from './pages/marks.ts';
import { notePage } from './pages/note-page.ts';
import { newNonce, pageHeaders } from './pages/page-headers.ts';
import { type ProgressPageContent, progressPage } from './pages/progress-page.ts';
import { type RecordPageContent, recordPage } from './pages/record-page.ts';
import { createSite, type PageFrame } from './pages/site.ts';

type ShownFailure = Omit<FailurePageContent, keyof PageFrame | 'retryPath'> & {
  /** The HTTP status, if it differs from the page's usual one. */
  status?: number;
  /** The requested workspace, so that a retry asks for the same one. */
  teamId?: string;
  /** Whether a member was connecting their account, so that a retry does the same. */
  member?: boolean;
  /** The token of the link that the attempt began with, so that a retry connects the same account. */
  connect?: string;
  /** The locale of a person who is signed in. If there is none, the page uses the browser's language. */
  locale?: string | null;
};

/**
 * Creates the functions that send every page to installers and members, in the person's or the browser's language. If a
 * request already has an answer, for example because a callback took too long, the functions send nothing and do not
 * throw.
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
      headers?: Record<string, string>;
      /** A cookie to set, in addition to the cookies that the host has already set on the response. */
      setCookie?: string;
      /** Where the page's forms may redirect, in addition to this origin. If absent, the page has no forms. */
      formLeadsTo?: readonly string[];
      /** The reader's own locale. If there is none, the page uses the browser's language. */
      locale?: string | null;
    },
    page: (frame: PageFrame) => string,
  ): void {
    if (res.headersSent) return;
    const nonce = newNonce();
    const words = options.locale
      ? texts.forLocale(options.locale)
      : texts.forRequest(res.req?.headers?.['accept-language']);
    const body = Buffer.from(page({ site, words, nonce }));
    if (options.setCookie !== undefined) res.appendHeader('Set-Cookie', options.setCookie);
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

  /** Sends a page that only confirms something, with one link or button. */
  function sendNote(
    res: ServerResponse,
    options: Parameters<typeof send>[2],
    about: 'record.erased' | 'member' | 'signin.signedOut',
    action: (words: Words) => Html,
  ): void {
    send(res, 200, { noIndex: true, ...options }, (frame) => {
      const { words } = frame;
      const what = words.text(`${about}.what`, { app: site.brand.name });
      return notePage({ ...frame, heading: words.text(`${about}.title`), what, action: action(words) });
    });
  }

  return {
    site,
    texts,

    sendLanding(res: ServerResponse): void {
      const content = {
        botScopes: slack.botScopes,
        optionalBotScopes: slack.optionalBotScopes,
        userScopes: slack.userScopes,
        offersSignIn: config.signIn !== undefined,
      };
      send(res, 200, {}, (frame) => landingPage({ ...frame, ...content }));
    },

    /**
     * `GET /brand/logo`: the only image that Foyer serves. Browsers cache it for only an hour, since a release may
     * change it.
     */
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
        // If a browser opens an SVG directly, this keeps the SVG's scripts from running.
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      });
      res.end(logo);
    },

    sendProgress(res: ServerResponse, content: Omit<ProgressPageContent, keyof PageFrame>): void {
      const options = { noIndex: true, ...(content.question?.form && { formLeadsTo: [] }) };
      send(res, 200, options, (frame) => progressPage({ ...frame, ...content }));
    },

    /** Asks for confirmation before a workspace is connected. `setCookie` binds the form to this browser. */
    sendConnectQuestion(
      res: ServerResponse,
      question: Omit<ConnectQuestion, 'action'>,
      setCookie: string,
    ): void {
      const action = `${http.basePath}/slack/install`;
      // After the form is submitted, the browser checks each redirect against this list. Slack redirects to the
      // workspace's own address. If the person cancels, Foyer redirects to the host product.
      const hosts = [config.successRedirectUrl, config.errorRedirectUrl].filter((url) => url !== undefined);
      const formLeadsTo = [
        'https:',
        ...[slack.authorizationUrl, ...hosts].map((url) => new URL(url).origin),
        ...(config.connect?.returnOrigins ?? []),
      ];
      const options = { noIndex: true, setCookie, formLeadsTo };
      send(res, 200, options, (frame) => connectPage({ ...frame, ...question, action }));
    },

    /** Sends the install record to a person who has signed in, in the language `locale`. `record` builds its HTML. */
    sendRecord(
      res: ServerResponse,
      { locale, ...about }: Omit<RecordPageContent, keyof PageFrame | 'record'> & { locale: string | null },
      record: (frame: PageFrame) => Html,
    ): void {
      send(res, 200, { noIndex: true, formLeadsTo: [], locale }, (frame) =>
        recordPage({ ...frame, ...about, record: record(frame) }),
      );
    },

    /** Says that a person's data was erased, in the language of the page on which they pressed the button. */
    sendErased(res: ServerResponse, locale: string | null): void {
      sendNote(res, { locale }, 'record.erased', (words) => {
        return html`<a class="button" href="${site.path('/')}">${words.text('failure.startPage')}</a>`;
      });
    },

    /** Says that a member has connected their account. `openUrl` leads to the app in Slack. */
    sendMember(res: ServerResponse, openUrl: string): void {
      sendNote(res, {}, 'member', (words) => {
        return html`<a class="button" href="${openUrl}">${words.text('progress.open')}</a>`;
      });
    },

    /** Says that a person is signed out, after `POST /slack/signout`. `setCookie` removes the session's cookie. */
    sendSignedOut(res: ServerResponse, setCookie: string): void {
      sendNote(res, { setCookie }, 'signin.signedOut', (words) => {
        return html`<a class="button button-slack" href="${site.path('/slack/signin')}">${slackMark}<span>${words.text('signin.button')}</span></a>`;
      });
    },

    sendFailure(res: ServerResponse, failure: ShownFailure, headers: Record<string, string> = {}): void {
      const { teamId, member, connect, status, locale, ...content } = failure;
      const { kind, retryAfterSeconds } = content;
      const path = kind === 'wrong_host' ? site.url('/') : content.path;
      // If there is a link, `team` is not needed: a link that is for one workspace names it.
      const query = new URLSearchParams(connect ? { connect } : teamId && { team: teamId });
      // If the workspace does not have the app, a member cannot connect an account, so a retry must install the app.
      if (member && kind !== 'not_installed') query.set('member', '1');
      const retryPath = query.size > 0 ? `/slack/install?${query}` : undefined;
      const retryAfter = retryAfterSeconds && { 'Retry-After': String(retryAfterSeconds) };
      const options = { noIndex: true, headers: { ...headers, ...retryAfter }, locale };
      send(res, status ?? failurePages[kind].status, options, (frame) =>
        failurePage({ ...frame, ...content, retryPath, path }),
      );
    },
  };
}

export type SendPages = ReturnType<typeof createSendPages>;
