import type { Config } from '../config/config.ts';
import type { ConfigProblem } from '../config/config-error.ts';

/** How the app looks and who makes it. Used on every page, in the welcome message and in Home. */
export interface Brand {
  name: string;
  /** One line that says what the app does. */
  tagline: string;
  /** A paragraph that says what the app does; empty if there is none. */
  description: string;
  /** `#rrggbb`. Pages make it darker or lighter until text on it and next to it is readable (WCAG AA). */
  color: string;
  /**
   * The path of a square PNG, JPEG, WebP or SVG, at least 512 pixels wide. If null, pages show a tile with the first
   * letter.
   */
  logo: string | null;
  /** Who makes the app. */
  publisher: string;
  /** The app's own website; null if there is none. */
  siteUrl: string | null;
  privacyUrl: string | null;
  supportUrl: string | null;
}

/** The brand's color if neither the app nor the manifest specifies a valid one. */
export const usualColor = '#1f5a47';

/**
 * Completes the brand, and does no I/O. What the app omits comes from the manifest (name, texts, color) or from the
 * environment (the links to privacy and support). If there is no publisher, uses the app's name.
 *
 * @example
 * defineFoyer({ brand: { publisher: 'Acme Inc.', logo: './logo.png', siteUrl: 'https://acme.example' } });
 */
export function completeBrand(
  config: Pick<Config, 'app' | 'privacyUrl' | 'supportUrl'>,
  brand: Partial<Brand> = {},
): Brand {
  const { name, description, longDescription, backgroundColor } = config.app;
  const given = brand.color ?? backgroundColor;
  return Object.freeze({
    name: brand.name ?? name,
    tagline: brand.tagline ?? description,
    description: brand.description ?? longDescription,
    color: given !== undefined && isColor(given) ? given.toLowerCase() : usualColor,
    logo: brand.logo ?? null,
    publisher: brand.publisher ?? brand.name ?? name,
    siteUrl: brand.siteUrl ?? null,
    privacyUrl: brand.privacyUrl ?? config.privacyUrl ?? null,
    supportUrl: brand.supportUrl ?? config.supportUrl ?? null,
  });
}

function isColor(text: string): boolean {
  return /^#[0-9a-f]{6}$/i.test(text);
}

/** Returns the media type of a logo by its file extension; undefined if the file cannot be a logo. */
export function logoType(path: string): string | undefined {
  const types: Readonly<Record<string, string>> = {
    png: 'image/png',
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    webp: 'image/webp',
    svg: 'image/svg+xml',
  };
  const end = path.split('.').at(-1)?.toLowerCase() ?? '';
  return Object.hasOwn(types, end) ? types[end] : undefined;
}

const names: Readonly<Record<keyof Brand, 'text' | 'color' | 'logo' | 'url'>> = {
  name: 'text',
  tagline: 'text',
  description: 'text',
  color: 'color',
  logo: 'logo',
  publisher: 'text',
  siteUrl: 'url',
  privacyUrl: 'url',
  supportUrl: 'url',
};

/** Lists all problems in an app's brand. */
export function brandProblems(brand: unknown): ConfigProblem[] {
  if (brand === undefined) return [];
  if (typeof brand !== 'object' || brand === null || Array.isArray(brand)) {
    return [{ name: 'brand', problem: 'is not an object', fix: 'give { publisher: … }, or leave it out' }];
  }
  return Object.entries(brand).flatMap(([key, value]): ConfigProblem[] => {
    const name = `brand.${key}`;
    const kind = Object.hasOwn(names, key) ? names[key as keyof Brand] : undefined;
    if (kind === undefined) {
      const fix = `use one of ${Object.keys(names).join(', ')}`;
      return [{ name, problem: 'is not an option of brand', fix }];
    }
    if (value === undefined || (value === null && kind !== 'text' && kind !== 'color')) return [];
    const fix = fixFor(kind, value);
    return fix === undefined ? [] : [{ name, problem: `is ${JSON.stringify(value)}`, fix }];
  });
}

/** Returns how to fix an invalid value; undefined if the value is valid. */
function fixFor(kind: (typeof names)[keyof Brand], value: unknown): string | undefined {
  if (typeof value !== 'string' || value.trim() === '') return 'give a string';
  switch (kind) {
    case 'text':
      return undefined;
    case 'color':
      return isColor(value) ? undefined : 'write it as #rrggbb';
    case 'logo':
      return logoType(value) === undefined ? 'give the path of a PNG, JPEG, WebP or SVG file' : undefined;
    case 'url':
      return /^(?:https?:\/\/|mailto:)/i.test(value) && URL.canParse(value)
        ? undefined
        : 'give an address that begins with https:// or mailto:';
  }
}
