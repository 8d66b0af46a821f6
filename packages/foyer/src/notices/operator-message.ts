import type { IncomingWebhookSendArguments } from '@slack/webhook';
import { escape as escapeHtml } from 'html-escaper';
import type { StepRecord } from '../database/install-record.ts';
import { escapeMrkdwn, mrkdwnCode, plainLine } from '../slack/slack-text.ts';

/**
 * Why a message consists of spans: the same message goes to Slack and into the text and the HTML of a mail, and
 * strangers chose the names in it. Each format has its own way to escape such names; Foyer's own words are not escaped.
 */

/**
 * A part of a message. A string is Foyer's own words; the other forms are text from outside, shown plain, bold or as
 * code.
 */
export type Span = string | { name: string } | { bold: string } | { code: string };

/** A message to the operators, for any channel. */
export interface OperatorMessage {
  /** One line for a mail's subject. Names from outside are not escaped in it. */
  subject: string;
  lines: readonly (readonly Span[])[];
}

/** Writes a message for an incoming webhook. */
export function webhookMessage(message: OperatorMessage): IncomingWebhookSendArguments {
  const text = message.lines.map((line) => line.map(mrkdwnSpan).join('')).join('\n');
  return {
    text,
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } }],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** Writes a mail's subject, text and HTML. The subject is one line of plain text, so a name cannot end the header. */
export function mailMessage(message: OperatorMessage): { subject: string; text: string; html: string } {
  const text = message.lines.map((line) => line.map(textSpan).join('')).join('\n');
  const html = message.lines.map((line) => `<p style="margin:0 0 .5em">${line.map(htmlSpan).join('')}</p>`);
  return {
    subject: plainLine(message.subject, 200),
    text: `${text}\n`,
    html: `<div style="font:15px/1.5 system-ui,sans-serif">${html.join('\n')}</div>\n`,
  };
}

function mrkdwnSpan(span: Span): string {
  if (typeof span === 'string') return span;
  if ('name' in span) return escapeMrkdwn(span.name, 200);
  return 'bold' in span ? `*${escapeMrkdwn(span.bold, 200)}*` : mrkdwnCode(span.code);
}

function textSpan(span: Span): string {
  return typeof span === 'string' ? span : plainLine(wordOf(span), 200);
}

function htmlSpan(span: Span): string {
  const text = escapeHtml(textSpan(span));
  if (typeof span === 'string' || 'name' in span) return text;
  return 'bold' in span ? `<strong>${text}</strong>` : `<code>${text}</code>`;
}

function wordOf(span: Exclude<Span, string>): string {
  if ('name' in span) return span.name;
  return 'bold' in span ? span.bold : span.code;
}

/** Describes a step that did not succeed, as a line of a list. */
export function troubleLine(step: Pick<StepRecord, 'name' | 'status' | 'errorCode'>): Span[] {
  return ['• ', { code: step.name }, ` ${step.status}: `, { code: step.errorCode ?? 'unknown' }];
}
