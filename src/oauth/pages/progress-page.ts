import { html, renderHtml } from '../html.ts';
import type { ProgressStatus } from './progress-status.ts';
import type { PageFrame } from './site.ts';

/** What the progress page needs besides the progress itself. */
export interface ProgressPageContent extends PageFrame {
  /** What `progressStatus` made: the same value that the status address answers with. */
  progress: ProgressStatus;
  /** The path of the JSON that the page polls. */
  statusUrl: string;
  /** Links into Slack; left out where there is no team to open yet. */
  openInSlack?: { desktopUrl: string; webUrl: string };
  /** Where an install starts anew. */
  installUrl?: string;
}

/** `GET /installs/:token`: the steps as they finish. A whole HTML document. */
export function progressPage(content: ProgressPageContent): string {
  return renderHtml(html`<!doctype html><title>${content.progress.heading}</title>`);
}
