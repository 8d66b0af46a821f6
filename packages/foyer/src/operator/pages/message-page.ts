import { html } from '../../http/html.ts';
import { type OperatorFrame, operatorPage } from './operator-page.ts';

/** The messages for requests that no other page can answer. */
export const messages = {
  not_found: {
    status: 404,
    heading: 'There is nothing at this address',
    text: 'The installation may have been purged, or a part of the link is missing.',
  },
  not_from_here: {
    status: 403,
    heading: 'This form was not sent from this site',
    text: 'The form came from another site, or from a session that has ended. Nothing was changed. Go back, reload the page and try again.',
  },
  malformed: { status: 400, heading: 'This form could not be read', text: 'Nothing was changed.' },
  too_slow: {
    status: 408,
    heading: 'This form took too long to arrive',
    text: 'Nothing was changed. Go back and try again.',
  },
  too_busy: {
    status: 503,
    heading: 'Foyer is busy',
    text: 'The form was not read, and nothing was changed. Go back and try again in a few seconds.',
  },
  too_large: {
    status: 413,
    heading: 'This form is too large',
    text: 'The form was not read, and nothing was changed.',
  },
  not_a_form: { status: 415, heading: 'This is not one of our forms', text: 'Nothing was changed.' },
  method_not_allowed: {
    status: 405,
    heading: 'This request is not accepted',
    text: 'This address does not accept requests of this kind. Nothing was changed.',
  },
  database_unavailable: {
    status: 503,
    heading: 'The database does not answer',
    text: 'The database may be locked, full or gone; the log says which. Your action may not have taken effect: check before you try again.',
  },
  internal: {
    status: 500,
    heading: 'Something went wrong',
    text: 'The log says what went wrong. If you pressed a button, check whether it took effect before you press it again.',
  },
} as const;

export type Message = keyof typeof messages;

/** Builds a page that shows only a message, as a whole HTML document. Its HTTP status is `messages[message].status`. */
export function messagePage(frame: OperatorFrame, message: Message): string {
  const { heading, text } = messages[message];
  return operatorPage(frame, {
    title: heading,
    narrow: true,
    content: html`<h1>${heading}</h1>
<p class="lead">${text}</p>
<p class="actions"><a class="button" href="/operator">Go to the overview</a></p>`,
  });
}
