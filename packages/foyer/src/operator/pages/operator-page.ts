import { foyerVersion } from '../../config/version.ts';
import { elementSource, type Html, html } from '../../http/html.ts';
import { appTile } from '../../http/pages/marks.ts';
import { page } from '../../http/pages/page.ts';
import type { PageFrame } from '../../http/pages/site.ts';
import type { StepFaces } from '../../texts/create-texts.ts';
import { type Notice, noticeLine } from './notices.ts';
import type { OperatorSession } from './operator-session.ts';
import { operatorStyles } from './operator-styles.ts';

/** What every operator page needs in addition to its own data. */
export interface OperatorFrame extends PageFrame {
  /** Absent if no one is logged in. */
  session?: OperatorSession;
  notice?: Notice;
  /** Whether installs are paused. */
  inMaintenance?: boolean;
  /** How the pages show the steps of the definition. */
  faces: StepFaces;
  /** Returns the URL of a sign-in with Slack that afterwards redirects to `next`, one of these pages. */
  signInPath(next: string): string;
  now: number;
}

/** The sections in the bar on top of every page, for operators who are logged in. */
const sections = [
  { name: 'overview', path: '/operator', label: 'Overview' },
  { name: 'installations', path: '/operator/installations', label: 'Installations' },
  { name: 'requests', path: '/operator/requests', label: 'Install requests' },
  { name: 'sessions', path: '/operator/sessions', label: 'Sessions' },
] as const;

export type Section = (typeof sections)[number]['name'];

function topBar(frame: OperatorFrame, current: Section | undefined): Html {
  const { site, session } = frame;
  const brand = html`<span aria-hidden="true">${appTile(site)}</span><span>${site.brand.name} <span class="role">Operator</span></span>`;
  const link = ({ name, path, label }: (typeof sections)[number]) =>
    html`<li><a href="${path}"${name === current && html` aria-current="page"`}>${label}</a></li>`;
  return html`<a class="skip" href="#main">Skip to the content</a>
<header class="bar">
  <div class="bar-inner">
    <a class="brand" href="/operator">${brand}</a>
    ${
      session &&
      html`<nav aria-label="Operator"><ul role="list">${sections.map(link)}</ul></nav>
    <form class="logout" method="post" action="/operator/logout">${csrfField(session)}<button class="plain" type="submit">Log out</button></form>`
    }
  </div>
</header>`;
}

/** Builds the field that binds a form to this session; undefined without a session. */
export function csrfField(session: OperatorSession | undefined): Html | undefined {
  return session && html`<input type="hidden" name="csrf" value="${session.csrfToken}">`;
}

/** Builds an operator page, as a whole HTML document: the layout of the installers' pages, with a bar on top. */
export function operatorPage(
  frame: OperatorFrame,
  parts: { title: string; section?: Section; narrow?: boolean; content: Html },
): string {
  const { site, words, nonce } = frame;
  return page({
    site,
    words,
    nonce,
    withoutFooter: true,
    title: `${parts.title} · ${site.brand.name} operator`,
    head: html`<meta name="robots" content="noindex">
<style nonce="${nonce}">${elementSource(operatorStyles)}</style>`,
    main: html`${topBar(frame, parts.section)}
<main id="main" class="${parts.narrow ? 'operator narrow' : 'operator'}">
${noticeLine(frame.notice)}
${frame.inMaintenance && html`<p class="notice" data-tone="warn">Maintenance is on: installs are paused. <code>npm run foyer -- maintenance off</code> ends it.</p>`}
${parts.content}
${frame.session && html`<p class="small">Foyer ${foyerVersion}</p>`}
</main>`,
  });
}
