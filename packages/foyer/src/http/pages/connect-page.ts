import { plainName } from '../../slack/slack-text.ts';
import { type Html, html } from '../html.ts';
import { joinedMarks, slackMark } from './marks.ts';
import { noIndex, page } from './page.ts';
import type { PageFrame } from './site.ts';

export interface ConnectQuestion {
  /**
   * connect: continue to Slack with a link that was made for another browser. move: take the workspace from the account
   * to which it is connected.
   */
  kind: 'connect' | 'move';
  /** The account's name, or its id. */
  account: string;
  /** Only if `kind` is `move`: the workspace's name, or null if Slack did not send it. */
  teamName?: string | null;
  action: string;
  /** Binds the form to this browser, together with a cookie. */
  ticket: string;
}

/**
 * Builds the page that asks for confirmation before Foyer connects a workspace to an account: a whole HTML document.
 */
export function connectPage(content: ConnectQuestion & PageFrame): string {
  const { site, words, action, ticket } = content;
  const heading = words.text(content.kind === 'move' ? 'connect.move.title' : 'connect.title');
  const main = html`<main class="single">
  ${joinedMarks(site)}
  <h1>${heading}</h1>
  ${content.kind === 'move' ? moveText(content) : connectText(content)}
  <form method="post" action="${action}">
    <input type="hidden" name="ticket" value="${ticket}">
    <p class="actions">
      ${
        content.kind === 'move'
          ? html`<button class="button" name="decision" value="continue">${words.text('connect.move.button')}</button>`
          : html`<button class="button button-slack" name="decision" value="continue">${slackMark}<span>${words.text('connect.continue')}</span></button>`
      }
      <button class="button-quiet" name="decision" value="cancel">${words.text('connect.cancel')}</button>
    </p>
  </form>
</main>`;
  return page({ ...content, title: heading, head: noIndex, main });
}

function accountName({ account, words }: ConnectQuestion & PageFrame): Html {
  return html`<strong class="account">${plainName(account, words.text('connect.unnamed'))}</strong>`;
}

function connectText(content: ConnectQuestion & PageFrame): Html {
  const { site, words } = content;
  const app = site.brand.name;
  return html`<p>${words.text('connect.what', { app })}</p>
  <p class="account-card">${accountName(content)}</p>
  <p>${words.text('connect.warning', { app })}</p>`;
}

function moveText(content: ConnectQuestion & PageFrame): Html {
  const { site, words } = content;
  const place = plainName(content.teamName ?? null, words.text('connect.move.thisWorkspace'));
  return html`<p>${words.text('connect.move.what', { app: site.brand.name, place })}</p>
  <p class="account-card">${accountName(content)}</p>
  <p>${words.text('connect.move.warning')}</p>`;
}
