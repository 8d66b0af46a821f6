import { type Html, html } from '../html.ts';
import { joinedMarks, slackMark } from './marks.ts';
import { page } from './page.ts';
import type { PageFrame, Site } from './site.ts';

/** What the landing page shows in addition to the brand. */
interface LandingPageContent extends PageFrame {
  botScopes: readonly string[];
  /** Those of `botScopes` that an installer may decline. */
  optionalBotScopes: readonly string[];
  /** Whether members can sign in. */
  offersSignIn?: boolean;
  /** The scopes that let the app act for the person who installs it. */
  userScopes: readonly string[];
  optionalUserScopes?: readonly string[];
}

interface ScopeList {
  scopes: readonly string[];
  optional: readonly string[];
  as: 'bot' | 'user';
}

function scopeLine({ words }: PageFrame, scope: string, { optional, as }: ScopeList): Html {
  const sentence = words.scope(scope, as) ?? words.text('landing.unknownScope');
  const reason = words.reason(scope);
  const isOptional = optional.includes(scope);
  return html`<li><span class="allowance">${sentence}</span>
    <span class="scope"><code translate="no">${scope}</code>${isOptional && html` <span class="optional">${words.text('landing.optional')}</span>`}</span>
    ${reason !== undefined && html`<span class="reason">${words.text('landing.reason', { reason })}</span>`}</li>`;
}

function scopeList(content: LandingPageContent, list: ScopeList): Html {
  const isOptional = (scope: string): number => Number(list.optional.includes(scope));
  const ordered = list.scopes.toSorted((a, b) => isOptional(a) - isOptional(b));
  return html`<ul class="scopes" role="list">${ordered.map((scope) => scopeLine(content, scope, list))}</ul>`;
}

function permissions(content: LandingPageContent): Html {
  const { site, words, botScopes, userScopes } = content;
  const app = site.brand.name;
  const nothing = botScopes.length + userScopes.length === 0;
  return html`<section class="card permissions" aria-labelledby="permissions">
    <h2 id="permissions">${words.text('landing.permissions', { app })}</h2>
    ${nothing && html`<p>${words.text('landing.permissions.none', { app })}</p>`}
    ${botScopes.length > 0 && scopeList(content, { scopes: botScopes, optional: content.optionalBotScopes, as: 'bot' })}
    ${
      userScopes.length > 0 &&
      html`<h3>${words.text('landing.permissions.user')}</h3>
      ${scopeList(content, { scopes: userScopes, optional: content.optionalUserScopes ?? [], as: 'user' })}`
    }
    <p class="small">${words.text('landing.enforced')}</p>
  </section>`;
}

/**
 * Links to support and to the privacy policy. They are next to the button, since an admin looks there before pressing
 * it.
 */
function contacts({ site, words }: PageFrame): Html {
  const { privacyUrl, supportUrl, publisher } = site.brand;
  const links = [
    supportUrl !== null &&
      html`<li><a href="${supportUrl}">${words.text('landing.questions', { publisher })}</a></li>`,
    privacyUrl !== null && html`<li><a href="${privacyUrl}">${words.text('page.privacy')}</a></li>`,
  ].filter((link) => link !== false);
  return links.length === 0 ? html`` : html`<ul class="contacts" role="list">${links}</ul>`;
}

function maker({ site, words }: PageFrame): Html {
  const { publisher, siteUrl } = site.brand;
  const line = words.text('landing.madeBy', { publisher });
  return html`<p class="maker">${siteUrl === null ? line : html`<a href="${siteUrl}">${line}</a>`}</p>`;
}

/** Builds the tags from which Slack and other apps make a preview when someone pastes a link to the page (ogp.me). */
function preview({ brand, logoType, url }: Site, title: string): Html {
  const text = brand.tagline || brand.description;
  const picture = logoType === undefined || logoType === 'image/svg+xml' ? undefined : url('/brand/logo');
  return html`<meta name="description" content="${text}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="${brand.name}">
<meta property="og:title" content="${title}">
<meta property="og:description" content="${text}">
<meta property="og:url" content="${url('/')}">
${picture !== undefined && html`<meta property="og:image" content="${picture}">`}
<meta name="twitter:card" content="summary">`;
}

/**
 * Builds `GET /`, which says what the app does, who makes it, what it may do and what happens next, and has one button.
 */
export function landingPage(content: LandingPageContent): string {
  const { site, words } = content;
  const { name: app, tagline, description } = site.brand;
  const title = words.text('landing.title', { app });
  const steps = [
    words.text('landing.next.consent'),
    words.text('landing.next.setup'),
    words.text('landing.next.welcome', { app }),
  ];
  const shownTagline = words.app('tagline') ?? tagline;
  const shownDescription = words.app('description') ?? description;
  const main = html`<main class="landing">
  <div class="pitch">
    ${joinedMarks(site)}
    <h1>${title}</h1>
    ${maker(content)}
    ${shownTagline !== '' && html`<p class="lead">${shownTagline}</p>`}
    <p class="actions"><a class="button button-slack" href="${site.path('/slack/install')}">${slackMark}<span>${words.text('landing.button')}</span></a></p>
    ${content.offersSignIn && html`<p class="sign-in small"><a href="${site.path('/slack/signin')}">${words.text('landing.signIn', { app })}</a></p>`}
    ${contacts(content)}
    <section class="next" aria-labelledby="next">
      <h2 id="next">${words.text('landing.next')}</h2>
      <ol role="list">${steps.map((step) => html`<li>${step}</li>`)}</ol>
    </section>
    <p class="approval small">${words.text('landing.approval')} <a href="${site.url('/')}" translate="no">${site.url('/')}</a></p>
    ${shownDescription !== '' && html`<p class="about">${shownDescription}</p>`}
  </div>
  ${permissions(content)}
</main>`;
  return page({ ...content, title, head: preview(site, title), main });
}
