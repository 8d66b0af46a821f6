import { type Html, html } from '../../http/html.ts';
import { spanText } from '../terminal/time-text.ts';

import { type OperatorFrame, operatorPage } from './operator-page.ts';

interface LoginContent {
  /** The path to which the login redirects; one of the operator's pages. */
  next: string;
  /** How operators can log in: with the password, with Slack, or with either. At least one is true. */
  ways: { password: boolean; slack: boolean };
  /** Why the last attempt failed. */
  fault?: { kind: 'wrong' } | { kind: 'slowed'; waitMs: number };
}

function faultText(fault: NonNullable<LoginContent['fault']>): string {
  return fault.kind === 'wrong'
    ? 'The password is wrong.'
    : `Too many wrong passwords. Try again in ${spanText(Math.max(1000, fault.waitMs))}.`;
}

function passwordForm({ next, fault }: LoginContent): Html {
  return html`<form class="card login" method="post" action="/operator/login">
  <input type="hidden" name="next" value="${next}">
  <input class="visually-hidden" type="text" name="username" value="operator" autocomplete="username" tabindex="-1" aria-hidden="true" readonly>
  <label class="field"><span>Password</span><input type="password" name="password" autocomplete="current-password" required autofocus maxlength="1000"${fault && html` aria-describedby="fault" aria-invalid="true"`}></label>
  ${fault && html`<p id="fault" class="fault" role="alert">${faultText(fault)}</p>`}
  <button class="button" type="submit">Log in</button>
  <p class="small">The password is the value of OPERATOR_PASSWORD. A login ends after 12 hours, or after 30 minutes without use.</p>
</form>`;
}

function slackButton(frame: OperatorFrame, next: string): Html {
  return html`<div class="card login"><p class="actions"><a class="button" href="${frame.signInPath(next)}">Sign in with Slack</a></p>
  <p class="small">For the people in OPERATOR_SLACK_USERS.</p></div>`;
}

/** `GET /operator/login`: asks for the password, or links to Sign in with Slack. Returns a whole HTML document. */
export function loginPage(frame: OperatorFrame, content: LoginContent): string {
  const { next, ways } = content;
  return operatorPage(frame, {
    title: 'Log in',
    narrow: true,
    content: html`<h1>Log in</h1>
<p class="lead">For the people who run ${frame.site.brand.name}.</p>
${ways.slack && slackButton(frame, next)}
${ways.password && passwordForm(content)}`,
  });
}
