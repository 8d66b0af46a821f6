import type { Words } from '../../texts/create-texts.ts';
import { type Brand, logoType } from '../brand.ts';
import { type Theme, themeOf } from './theme.ts';

/** What every page says about the app, and how it links to Foyer's other pages. */
export interface Site {
  brand: Brand;
  theme: Theme;
  /** The media type of the logo; undefined without one. */
  logoType: string | undefined;
  /** Returns one of Foyer's paths as a page links to it, below the base path. All links of a page use this. */
  path(path: string): string;
  /** Returns the same as a whole address, for use outside the page: a copied link, a preview in Slack. */
  url(path: string): string;
}

/** Creates a site. */
export function createSite(brand: Brand, http: { publicUrl: string; basePath?: string }): Site {
  const { publicUrl, basePath = '' } = http;
  const path = (below: string): string => (below === '/' ? basePath || '/' : basePath + below);
  return {
    brand,
    theme: themeOf(brand.color),
    logoType: brand.logo === null ? undefined : logoType(brand.logo),
    path,
    url: (below) => publicUrl + path(below),
  };
}

/** What every page needs in addition to its own data. */
export interface PageFrame {
  site: Site;
  words: Words;
  /** The nonce of the request, the same as in its Content-Security-Policy. */
  nonce: string;
}
