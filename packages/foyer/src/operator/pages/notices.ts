import { type Html, html } from '../../http/html.ts';

/** What a page can say about the press that led to it. The list is fixed, since the address contains the key. */
const notices = {
  run_queued: { tone: 'good', text: 'The run continues. Steps that had not succeeded are tried again.' },
  run_woken: { tone: 'good', text: 'The run was waiting and continues now.' },
  run_going: { tone: 'plain', text: 'Nothing was changed: the run is already in progress.' },
  run_rate_limited: {
    tone: 'warn',
    text: 'Nothing was changed: Slack asked us to wait. The run continues automatically after that.',
  },
  run_nothing_to_retry: {
    tone: 'plain',
    text: 'Nothing was changed: no step of this run needs another try.',
  },
  run_not_newest: { tone: 'warn', text: 'Nothing was changed: there is a newer run.' },
  welcome_queued: { tone: 'good', text: 'The welcome is being sent again.' },
  welcome_going: {
    tone: 'plain',
    text: 'Nothing was changed: the run that sends the welcome has not ended yet.',
  },
  not_installed: { tone: 'warn', text: 'Nothing was changed: the app is no longer installed here.' },
  marked_gone: {
    tone: 'good',
    text: 'Marked as gone. Its tokens are erased; its record and history are kept.',
  },
  marked_gone_not_revoked: {
    tone: 'warn',
    text: 'Marked as gone, and its tokens are erased here. Some could not be revoked at Slack; the history lists them.',
  },
  already_gone: { tone: 'plain', text: 'Nothing was changed: it was already marked as gone.' },
  purged: { tone: 'good', text: 'Purged. Everything stored about this installation is erased.' },
  purge_waits: {
    tone: 'warn',
    text: 'Uninstalled, but nothing is erased yet: its uninstall run has not succeeded. See the run below, and purge again when it has.',
  },
  purged_not_revoked: {
    tone: 'warn',
    text: 'Purged. Some tokens could not be revoked at Slack; the log lists them. They stay valid until the app is removed there.',
  },
  changed_meanwhile: {
    tone: 'warn',
    text: 'Nothing was changed: the app was installed again after you opened that page. Check again.',
  },
  keys_do_not_fit: {
    tone: 'bad',
    text: 'Nothing was changed: its tokens cannot be decrypted with the current keys, so they cannot be revoked at Slack. On the command line, purge --no-revoke erases them without revoking.',
  },
  wrong_password: { tone: 'bad', text: 'Nothing was changed: the password is wrong.' },
  password_slowed: {
    tone: 'bad',
    text: 'Nothing was changed: too many wrong passwords. Wait a little, then try again.',
  },
  sign_in_again: {
    tone: 'warn',
    text: 'Nothing was changed: a purge needs a sign-in with Slack of the last five minutes. Sign in again, and repeat it.',
  },
  session_ended_now: { tone: 'good', text: 'The session is ended, on every machine.' },
  session_gone: { tone: 'plain', text: 'Nothing was changed: that session had ended already.' },
  logged_out: { tone: 'plain', text: 'You are logged out.' },
  session_ended: {
    tone: 'warn',
    text: 'Your session had ended, so nothing was changed. Log in and try again.',
  },
} as const satisfies Record<string, { tone: 'good' | 'plain' | 'warn' | 'bad'; text: string }>;

export type Notice = keyof typeof notices;

/** Returns the notice that an address asks for, if it is in the list. */
export function noticeOf(query: URLSearchParams): Notice | undefined {
  const key = query.get('done') ?? '';
  return Object.hasOwn(notices, key) ? (key as Notice) : undefined;
}

/** Shows a notice at the top of a page. */
export function noticeLine(notice: Notice | undefined): Html | undefined {
  if (notice === undefined) return undefined;
  const { tone, text } = notices[notice];
  return html`<p class="notice" data-tone="${tone}" role="status">${text}</p>`;
}
