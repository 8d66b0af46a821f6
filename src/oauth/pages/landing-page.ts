import { html, renderHtml } from '../html.ts';
import type { PageFrame } from './site.ts';

/** What the landing page tells of the app. */
export interface LandingPageContent extends PageFrame {
  description: string;
  botScopes: readonly string[];
  optionalBotScopes: readonly string[];
  userScopes: readonly string[];
}

/** `GET /`: what the app does, what it will be allowed to do, and the one button. A whole HTML document. */
export function landingPage(content: LandingPageContent): string {
  return renderHtml(html`<!doctype html><title>${content.site.appName}</title>`);
}
