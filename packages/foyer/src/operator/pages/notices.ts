import { type Html, html } from '../../http/html.ts';

/**
 * What a page can say about the outcome of the button that an operator has just pressed, grouped by tone. The page's
 * URL contains only the name of the notice, and the list is fixed: so no link can put any other text on the page.
 */
const notices = {
  good: {
    run_queued: 'The run continues. Steps that had not succeeded are tried again.',
    run_woken: 'The run was waiting and continues now.',
    welcome_queued: 'The welcome is being sent again.',
    marked_gone: 'Marked as gone. Its tokens are erased; its record and history are kept.',
    purged: 'Purged. Everything stored about this installation is erased.',
    session_ended_now: 'The session has ended on every machine.',
  },
  plain: {
    run_going: 'Nothing was changed: the run is already in progress.',
    run_nothing_to_retry: 'Nothing was changed: no step of this run needs another try.',
    welcome_going: 'Nothing was changed: the run that sends the welcome has not ended yet.',
    already_gone: 'Nothing was changed: the app was already uninstalled here.',
    session_gone: 'Nothing was changed: that session had ended already.',
    logged_out: 'You are logged out.',
  },
  warn: {
    run_rate_limited:
      'Nothing was changed: Slack asked us to wait. The run continues automatically after the wait.',
    run_not_newest: 'Nothing was changed: there is a newer run.',
    not_installed: 'Nothing was changed: the app is no longer installed here.',
    marked_gone_not_revoked:
      'Marked as gone, and its tokens are erased here. Some could not be revoked at Slack; the history lists them.',
    purge_waits:
      'Uninstalled. So far only the tokens are erased, because the uninstall run has not succeeded. See the run below, and purge again after it has succeeded.',
    purged_not_revoked:
      'Purged. Some tokens could not be revoked at Slack; the log lists them. They stay valid until the app is removed in Slack.',
    changed_meanwhile:
      'Nothing was changed: the app was installed again after you opened that page. Look at the record below before you decide again.',
    sign_in_again:
      'Nothing was changed: a purge needs a sign-in with Slack within the last five minutes. Sign in again, and repeat the purge.',
    session_ended: 'Your session had ended, so nothing was changed. Log in and try again.',
  },
  bad: {
    keys_do_not_fit:
      'Nothing was changed: this installation’s tokens cannot be decrypted with the current keys, so they cannot be revoked at Slack. On the command line, purge --no-revoke erases them without revoking.',
    wrong_password: 'Nothing was changed: the password is wrong.',
    password_slowed: 'Nothing was changed: too many wrong passwords. Wait a little, then try again.',
  },
} as const;

type Texts = typeof notices;
type Tone = keyof Texts;
export type Notice = { [Each in Tone]: keyof Texts[Each] }[Tone];

const byKey = new Map(
  Object.entries(notices).flatMap(([tone, texts]) =>
    Object.entries(texts).map(([key, text]): [string, { tone: string; text: string }] => [
      key,
      { tone, text },
    ]),
  ),
);

/** Returns the notice that a URL's query names, if it is in the list. */
export function noticeOf(query: URLSearchParams): Notice | undefined {
  const key = query.get('done') ?? '';
  return byKey.has(key) ? (key as Notice) : undefined;
}

/** Shows a notice at the top of a page. */
export function noticeLine(notice: Notice | undefined): Html | undefined {
  const found = notice && byKey.get(notice);
  return found && html`<p class="notice" data-tone="${found.tone}" role="status">${found.text}</p>`;
}
