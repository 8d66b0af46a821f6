import { scopeSentence } from '../../slack/scope-sentences.ts';
import { type Html, html } from '../html.ts';
import { joinedMarks, slackMark } from './marks.ts';
import { page } from './page.ts';
import type { PageFrame } from './site.ts';

/** What the landing page tells of the app. */
export interface LandingPageContent extends PageFrame {
  description: string;
  botScopes: readonly string[];
  /** Those of `botScopes` that an installer may decline. */
  optionalBotScopes: readonly string[];
  /** What it may do as the person who installs it. */
  userScopes: readonly string[];
  optionalUserScopes?: readonly string[];
  /** Where the button leads; `/slack/install` unless given. */
  installUrl?: string;
}

function scopeLine(scope: string, optional: boolean): Html {
  const sentence = scopeSentence(scope);
  const mark = optional && html`<span class="optional">You may decline this</span>`;
  return sentence === scope
    ? html`<li><span class="allowance"><code>${scope}</code></span>${optional && html`<span class="scope">${mark}</span>`}</li>`
    : html`<li><span class="allowance">${sentence}</span><span class="scope"><code>${scope}</code> ${mark}</span></li>`;
}

function scopeList(scopes: readonly string[], optional: readonly string[]): Html {
  // What may be declined comes last: the list then reads from must to may.
  const ordered = [...scopes].sort((a, b) => Number(optional.includes(a)) - Number(optional.includes(b)));
  return html`<ul class="scopes" role="list">${ordered.map((scope) => scopeLine(scope, optional.includes(scope)))}</ul>`;
}

function permissions(content: LandingPageContent): Html {
  const { appName } = content.site;
  return html`<section class="card permissions" aria-labelledby="permissions">
    <h2 id="permissions">What ${appName} will be allowed to do</h2>
    ${content.botScopes.length > 0 && scopeList(content.botScopes, content.optionalBotScopes)}
    ${
      content.userScopes.length > 0 &&
      html`<h3>On your own behalf</h3>
      ${scopeList(content.userScopes, content.optionalUserScopes ?? [])}`
    }
    <p class="small">Slack holds ${appName} to this list, and shows it to you once more before you agree.</p>
  </section>`;
}

/** `GET /`: what the app does, what it will be allowed to do, and the one button. A whole HTML document. */
export function landingPage(content: LandingPageContent): string {
  const { site, nonce, description, installUrl = '/slack/install' } = content;
  const main = html`<main class="landing">
  <div class="pitch">
    ${joinedMarks(site.appName)}
    <h1>Add ${site.appName} to Slack</h1>
    ${description !== '' && html`<p class="lead">${description}</p>`}
    <p class="actions"><a class="button button-slack" href="${installUrl}">${slackMark}<span>Add to Slack</span></a></p>
    <section class="next" aria-labelledby="next">
      <h2 id="next">What happens next</h2>
      <ol role="list">
        <li>Slack asks which workspace, and whether you agree.</li>
        <li>You come back here and see the setup finish, within seconds.</li>
        <li>${site.appName} sends you one welcome message in Slack.</li>
      </ol>
    </section>
  </div>
  ${permissions(content)}
</main>`;
  return page({ site, nonce, title: `Add ${site.appName} to Slack`, main });
}
