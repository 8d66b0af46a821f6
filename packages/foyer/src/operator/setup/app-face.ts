import { isDeepStrictEqual } from 'node:util';
import { brandProblems, usualColor } from '../../http/brand.ts';
import { themeOf } from '../../http/pages/theme.ts';
import { CommandError } from '../command-error.ts';

/** How Slack shows the app. Foyer's pages use the same values of the manifest. */
export interface AppFace {
  name: string;
  description: string;
  /** `#rrggbb`. */
  color: string;
}

/**
 * Reads the app's name, descriptions and color from a manifest. If a text is missing, returns an empty text for it. If
 * the color is missing, returns the default color.
 * @throws CommandError if the text is not JSON
 */
export function readFace(manifestText: string): AppFace & { longDescription: string } {
  const shown = parsed(manifestText).display_information ?? {};
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    name: text(shown.name),
    description: text(shown.description),
    longDescription: text(shown.long_description),
    color: text(shown.background_color) || usualColor,
  };
}

/** Slack's limits (docs.slack.dev/reference/app-manifest). */
const mostInName = 35;
const mostInDescription = 140;

/** Says what is wrong with the app's name, description or color, and how to fix it; undefined if it is valid. */
export const faceProblem: Readonly<Record<keyof AppFace, (text: string) => string | undefined>> = {
  name(text) {
    if (text.trim() === '') return 'Give the name that people see in Slack';
    return tooLong(text, mostInName);
  },
  description: (text) => tooLong(text, mostInDescription),
  color: (text) =>
    brandProblems({ color: text.trim() }).length > 0
      ? `Write it as #rrggbb, such as ${usualColor}`
      : undefined,
};

function tooLong(text: string, most: number): string | undefined {
  const { length } = text.trim();
  return length > most ? `It has ${length} characters, and Slack allows at most ${most}` : undefined;
}

/** If text in the given color would be hard to read, says which colors Foyer's pages use instead; else undefined. */
export function contrastAdvice(color: string): string | undefined {
  const { light, dark } = themeOf(color);
  const changed = [
    ['light', light.accent],
    ['dark', dark.accent],
  ].filter(([, accent]) => accent !== color.toLowerCase());
  if (changed.length === 0) return undefined;
  const instead = changed.map(([scheme, accent]) => `${accent} on ${scheme} pages`).join(' and ');
  return `Slack shows ${color}. Text in this color would be hard to read (WCAG AA asks for 4.5 : 1), so links use ${instead}.`;
}

/**
 * Sets the app's name, description and color in a manifest's text, and keeps every other character if possible. If the
 * bot has the app's old name, it gets the new name too. Verifies the result: if the edited text does not contain
 * exactly the wanted changes, formats the whole manifest again instead.
 * @throws CommandError if the text is not JSON
 */
export function withFace(manifestText: string, face: AppFace): string {
  const manifest = parsed(manifestText);
  const before = readFace(manifestText);
  const { features } = manifest;
  const shown = manifest.display_information ?? {};
  const changes = changesOf(before, face, shown);
  const follows = changes.name !== undefined && features?.bot_user?.display_name === before.name;
  const wanted = {
    ...manifest,
    display_information: { ...shown, ...changes },
    ...(follows && {
      features: { ...features, bot_user: { ...features.bot_user, display_name: face.name } },
    }),
  };
  if (isDeepStrictEqual(wanted, manifest)) return manifestText;
  const edits = [
    ...Object.entries(changes).map(([key, value]) => ['display_information', key, value] as const),
    ...(follows ? [['bot_user', 'display_name', face.name] as const] : []),
  ];
  const text = edits.reduce(
    (inner, [object, key, value]) => replaceText(inner, object, key, value),
    manifestText,
  );
  return isDeepStrictEqual(orNothing(text), wanted) ? text : `${JSON.stringify(wanted, null, 2)}\n`;
}

/**
 * Returns the changed keys of `display_information` with their new values. An empty description is not a change if
 * there was no description before.
 */
function changesOf(before: AppFace, face: AppFace, shown: Readonly<Record<string, unknown>>) {
  const changes: Record<string, string> = {};
  if (face.name !== before.name) changes.name = face.name;
  if (face.description !== before.description) changes.description = face.description;
  if (face.color !== shown.background_color) changes.background_color = face.color;
  return changes;
}

/** Replaces the string at `key` inside the first object that is named `object`. The caller verifies the result. */
function replaceText(text: string, object: string, key: string, value: string): string {
  const string = String.raw`"(?:[^"\\]|\\.)*"`;
  const place = new RegExp(String.raw`("${object}"\s*:\s*\{[^}]*?"${key}"\s*:\s*)${string}`);
  return text.replace(place, (_all, head: string) => head + JSON.stringify(value));
}

interface KnownManifest {
  display_information?: Record<string, unknown> | null;
  features?: { bot_user?: Record<string, unknown> | null } | null;
}

function parsed(manifestText: string): KnownManifest {
  const manifest = orNothing(manifestText);
  if (typeof manifest === 'object' && manifest !== null) return manifest;
  throw new CommandError('manifest.json cannot be read as JSON: restore it from the repository.');
}

function orNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
