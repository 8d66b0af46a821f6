import { html, renderHtml } from '../html.ts';
import { type FailureKind, failurePages } from './failure-texts.ts';
import type { PageFrame } from './site.ts';

/** What a failure page is about. */
export interface FailurePageContent extends PageFrame {
  kind: FailureKind;
  /** Slack's own error code, shown small beside the reference. */
  slackError?: string;
  /** Whether Slack's tokens were given back; undefined where it had issued none, or nobody can say. */
  tokensRevoked?: boolean;
  /** Where the button leads back into the install; `/slack/install` unless a team was asked for. */
  retryUrl?: string;
}

/** The page of one failure: a whole HTML document. Its HTTP status is `failurePages[kind].status`. */
export function failurePage(content: FailurePageContent): string {
  return renderHtml(html`<!doctype html><title>${failurePages[content.kind].heading}</title>`);
}
