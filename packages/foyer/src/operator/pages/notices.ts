import { type Html, html } from '../../http/html.ts';

/** What a page can say about the press that led to it. The list is fixed, since the address carries the key. */
const notices = {
  run_queued: { tone: 'good', text: 'The run goes on. What had not succeeded is tried again.' },
  run_woken: { tone: 'good', text: 'The run was waiting, and goes on now.' },
  run_going: { tone: 'plain', text: 'Nothing was changed: the run is being worked on already.' },
  run_rate_limited: {
    tone: 'warn',
    text: 'Nothing was changed: Slack asked to wait, and the run goes on by itself once that time is over.',
  },
  run_nothing_to_retry: {
    tone: 'plain',
    text: 'Nothing was changed: no step of this run needs another try.',
  },
  run_not_newest: { tone: 'warn', text: 'Nothing was changed: a newer run has taken that one’s place.' },
  welcome_queued: { tone: 'good', text: 'The welcome is sent again now.' },
  welcome_going: {
    tone: 'plain',
    text: 'Nothing was changed: the run is not at its end yet, and the welcome is a part of it.',
  },
  not_installed: { tone: 'warn', text: 'Nothing was changed: the app is not installed here any more.' },
  marked_gone: {
    tone: 'good',
    text: 'Marked as gone: its tokens are erased, its record and history are kept.',
  },
  marked_gone_not_revoked: {
    tone: 'warn',
    text: 'Marked as gone, and its tokens are erased here. Slack did not take all of them back: the history says which.',
  },
  already_gone: { tone: 'plain', text: 'Nothing was changed: it was marked as gone already.' },
  purged: { tone: 'good', text: 'Purged: everything that was stored of this installation is erased.' },
  purge_waits: {
    tone: 'warn',
    text: 'Uninstalled, and nothing is erased yet: its uninstall run has not succeeded. Look at it below, and purge again once it has.',
  },
  purged_not_revoked: {
    tone: 'warn',
    text: 'Purged. Slack did not take all of its tokens back: the log says which. They die when the app is removed there.',
  },
  changed_meanwhile: {
    tone: 'warn',
    text: 'Nothing was changed: the app was installed anew after that page was shown. Look again.',
  },
  keys_do_not_fit: {
    tone: 'bad',
    text: 'Nothing was changed: its tokens do not open with the keys that are there, so they cannot be given back to Slack. The command line’s purge --no-revoke erases without that.',
  },
  wrong_password: { tone: 'bad', text: 'Nothing was changed: that is not the password.' },
  password_slowed: {
    tone: 'bad',
    text: 'Nothing was changed: there were too many wrong passwords. Wait a little, then try again.',
  },
  logged_out: { tone: 'plain', text: 'You are logged out.' },
  session_ended: {
    tone: 'warn',
    text: 'Your session had ended, so nothing was changed. Log in and try again.',
  },
} as const satisfies Record<string, { tone: 'good' | 'plain' | 'warn' | 'bad'; text: string }>;

export type Notice = keyof typeof notices;

/** The notice that an address asks for, if it is in the list. */
export function noticeOf(query: URLSearchParams): Notice | undefined {
  const key = query.get('done') ?? '';
  return Object.hasOwn(notices, key) ? (key as Notice) : undefined;
}

/** A notice at the top of a page. */
export function noticeLine(notice: Notice | undefined): Html | undefined {
  if (notice === undefined) return undefined;
  const { tone, text } = notices[notice];
  return html`<p class="notice" data-tone="${tone}" role="status">${text}</p>`;
}
