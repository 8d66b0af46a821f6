/**
 * The colors that Foyer derives from the brand's color. Why it computes them: a brand's color is chosen for a tile in
 * Slack, and text in most such colors is hard to read on a white or a black page. Foyer mixes the color with black or
 * white only as much as WCAG AA requires (4.5 : 1).
 */

type Rgb = readonly [red: number, green: number, blue: number];

const white: Rgb = [255, 255, 255];
const black: Rgb = [0, 0, 0];
/** The backgrounds on which pages show text: the style sheet's `--ground` and `--card`. */
const grounds = {
  light: ['#f7f6f3', '#ffffff'],
  dark: ['#131416', '#1b1d20'],
} as const;
/** The colors of text on a background that has the brand's color. */
const inks: readonly Rgb[] = [white, [16, 18, 20]];
const enough = 4.5;

function parse(color: string): Rgb {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function written(color: Rgb): string {
  return `#${color.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}

function mix(color: Rgb, other: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2): number => color[index] * (1 - share) + other[index] * share;
  return [part(0), part(1), part(2)];
}

function luminance(color: Rgb): number {
  const linear = (part: number): number => {
    const value = part / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2]);
}

/** Returns the contrast between two colors (`#rrggbb`), from 1 to 21 (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  return ratio(parse(one), parse(other));
}

function ratio(one: Rgb, other: Rgb): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function inkOn(color: Rgb): Rgb {
  return inks.reduce((best, ink) => (ratio(ink, color) > ratio(best, color) ? ink : best));
}

/**
 * Mixes the color with more and more of `toward` until `passes` accepts the mix. If it accepts no mix, returns
 * `toward`.
 */
function until(color: Rgb, toward: Rgb, passes: (color: Rgb) => boolean): Rgb {
  for (let share = 0; share < 1; share += 0.02) {
    const mixed = parse(written(mix(color, toward, share)));
    if (passes(mixed)) return mixed;
  }
  return toward;
}

/** A button has the tile's color only if that color has at least this contrast with the page's background. */
const visible = 1.25;

/** Computes the brand's colors for one scheme, light or dark. */
function scheme(name: keyof typeof grounds, color: Rgb, tile: Rgb) {
  const toward = name === 'light' ? black : white;
  const card = parse(grounds[name][1]);
  const washOf = (accent: Rgb): Rgb => parse(written(mix(card, accent, 0.1)));
  const accent = until(color, toward, (mixed) => {
    const under = [...grounds[name].map(parse), washOf(mixed)];
    return under.every((ground) => ratio(mixed, ground) >= enough) && ratio(inkOn(mixed), mixed) >= enough;
  });
  const isVisible = grounds[name].map(parse).every((ground) => ratio(tile, ground) >= visible);
  const button = isVisible ? tile : accent;
  const ink = inkOn(button);
  return {
    /** The color of links and marks, which is readable as text. */
    accent: written(accent),
    /**
     * The color of a button: the tile's color if it stands out from the page, otherwise the accent. The text on the
     * button has its own color, so the button's color need not be readable as text.
     */
    button: written(button),
    onButton: written(ink),
    buttonHover: written(mix(button, ink === white ? black : white, 0.14)),
    wash: written(washOf(accent)),
  };
}

/**
 * Computes all colors that Foyer derives from a brand's color (`#rrggbb`): one set for each scheme, and the colors of
 * the app's tile.
 */
export function themeOf(color: string) {
  const rgb = parse(color);
  // If the color has a medium brightness, both white and black text may be too hard to read on it, so the tile gets
  // darker.
  const tile = until(rgb, black, (mixed) => ratio(inkOn(mixed), mixed) >= enough);
  return {
    light: scheme('light', rgb, tile),
    dark: scheme('dark', rgb, tile),
    tile: written(tile),
    onTile: written(inkOn(tile)),
  };
}

export type Theme = ReturnType<typeof themeOf>;

/** Writes a theme as CSS variables for the style sheet. */
export function themeStyles(theme: Theme): string {
  const variables = (colors: Theme['light']): string =>
    `--accent:${colors.accent};--button:${colors.button};--on-button:${colors.onButton};--button-hover:${colors.buttonHover};--wash:${colors.wash}`;
  return [
    `:root{${variables(theme.light)};--tile:${theme.tile};--on-tile:${theme.onTile}}`,
    `@media(prefers-color-scheme:dark){:root{${variables(theme.dark)}}}`,
  ].join('');
}
