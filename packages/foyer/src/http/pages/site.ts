import type { Words } from '../../texts/create-texts.ts';
import { type Brand, logoType } from '../brand.ts';
import { themeOf } from './theme.ts';

/** Creates what every page says about the app, and how it links to Foyer's other pages. */
export function createSite(brand: Brand, http: { publicUrl: string; basePath?: string }) {
  const { publicUrl, basePath = '' } = http;
  /** Returns one of Foyer's paths as a page links to it, below the base path. All links of a page use this. */
  const path = (below: string): string => (below === '/' ? basePath || '/' : basePath + below);
  return {
    brand,
    theme: themeOf(brand.color),
    /** The media type of the logo; undefined without one. */
    logoType: brand.logo === null ? undefined : logoType(brand.logo),
    path,
    /** Returns the same as a whole address, for use outside the page: a copied link, a preview in Slack. */
    url: (below: string): string => publicUrl + path(below),
  };
}

export type Site = ReturnType<typeof createSite>;

/** What every page needs in addition to its own data. */
export interface PageFrame {
  site: Site;
  words: Words;
  /** The nonce of the response, the same as in its Content-Security-Policy. */
  nonce: string;
}
