import type { InstallRecord } from '../../database/install-record.ts';
import { type Html, html } from '../../http/html.ts';
import { plainName } from '../../slack/slack-text.ts';
import { statusTones } from '../terminal/status-style.ts';
import { durationText, spanText, timeText } from '../terminal/time-text.ts';

/** How single values look on every page: a status, a time, a name. */

/** Converts an identifier to words: `run_cancelled` becomes `run canceled`. Filters and JSON keep the identifier. */
export function inWords(identifier: string): string {
  return identifier.replaceAll('_', ' ').replace('cancelled', 'canceled');
}

/** Shows a status as a colored word. */
export function badge(status: keyof typeof statusTones): Html {
  return html`<span class="badge" data-tone="${statusTones[status]}">${inWords(status)}</span>`;
}

/** Shows a time in UTC. */
export function time(ms: number): Html {
  return html`<time datetime="${new Date(ms).toISOString()}">${timeText(ms)}</time>`;
}

/** Shows a time relative to now, with the exact time as its tooltip. */
export function ago(ms: number, now: number): Html {
  const text = ms > now ? `in ${spanText(ms - now)}` : `${spanText(now - ms)} ago`;
  return html`<time datetime="${new Date(ms).toISOString()}" title="${timeText(ms)}">${text}</time>`;
}

/** Shows how long something took; null if it has not ended yet. */
export function took(startedAt: number, finishedAt: number | null): string | null {
  return finishedAt === null ? null : durationText(Math.max(0, finishedAt - startedAt));
}

/** Returns the name of an installation's team or enterprise. */
export function installationName(
  record: Pick<InstallRecord, 'isEnterpriseInstall' | 'teamName' | 'enterpriseName'>,
): string {
  return plainName(record.isEnterpriseInstall ? record.enterpriseName : record.teamName, 'Unnamed');
}

/** Shows a person in a table: the name if it is known, and the id. */
export function personCell(name: string | undefined, id: string): Html {
  return name === undefined
    ? html`<code>${id}</code>`
    : html`${plainName(name, id)}<span class="ids"><code>${id}</code></span>`;
}

/**
 * Shows an error as its code and message. If the message contains the code, shows only the message. Null if both are
 * null.
 */
export function errorText(of: { errorCode: string | null; errorMessage: string | null }): Html | null {
  const { errorCode: code, errorMessage: message } = of;
  if (code === null) return message === null ? null : html`<span class="error">${message}</span>`;
  const name = html`<code>${code}</code>`;
  const at = message?.indexOf(code) ?? -1;
  if (message === null || at < 0) return html`<span class="error">${name} ${message}</span>`;
  return html`<span class="error">${message.slice(0, at)}${name}${message.slice(at + code.length)}</span>`;
}

/** Formats a whole number with thousands separators. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}
