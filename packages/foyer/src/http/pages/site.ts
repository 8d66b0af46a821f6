import type { Words } from '../../texts/create-texts.ts';
import { type Brand, logoType } from '../brand.ts';
import { themeOf } from './theme.ts';

/** Creates what every page needs to know about the app, and the functions that build links to Foyer's own pages. */
export function createSite(brand: Brand, http: { publicUrl: string; basePath?: string }) {
  const { publicUrl, basePath = '' } = http;
  /** Adds the base path to a path. Every link on a page needs this. */
  const path = (below: string): string => (below === '/' ? basePath || '/' : basePath + below);
  return {
    brand,
    theme: themeOf(brand.color),
    /** The media type of the logo; undefined if there is no logo. */
    logoType: brand.logo === null ? undefined : logoType(brand.logo),
    path,
    /**
     * Returns the path as an absolute URL, for use outside the page, such as in a copied link or a preview in Slack.
     */
    url: (below: string): string => publicUrl + path(below),
  };
}

export type Site = ReturnType<typeof createSite>;

/** What every page needs in addition to its own data. */
export interface PageFrame {
  site: Site;
  words: Words;
  /** The response's nonce, which its Content-Security-Policy contains too. */
  nonce: string;
}
