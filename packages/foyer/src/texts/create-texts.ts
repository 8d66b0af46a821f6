import { IntlMessageFormat } from 'intl-messageformat';
import { scopeSentences, userScopeSentences } from '../slack/scope-sentences.ts';
import { de } from './languages/de.ts';
import { en, type StepTitle, type TextKey, type Translation } from './languages/en.ts';
import { es } from './languages/es.ts';
import { fr } from './languages/fr.ts';
import { ja } from './languages/ja.ts';

/** A language in which Foyer has texts. */
export type Language = 'en' | 'de' | 'fr' | 'es' | 'ja';

type TextValue = string | number;

/**
 * The text after a `{`, up to the first `,` or `}`: usually the name of a placeholder. It may also be the text of a
 * plural or select branch, which is empty or has several words; `NameAlone` drops such a text.
 */
type Head<Rest extends string> = Rest extends `${infer Inner}}${string}`
  ? Inner extends `${infer Name},${string}`
    ? Name
    : Inner
  : never;
type NameAlone<Name extends string> = Name extends '' | `${string}${' ' | '#' | '{'}${string}` ? never : Name;
type Placeholder<Message extends string> = Message extends `${string}{${infer Rest}`
  ? NameAlone<Head<Rest>> | Placeholder<Rest>
  : never;
/** The values for the placeholders of the message `Key`. */
type TextValues<Key extends TextKey> = Readonly<Record<Placeholder<(typeof en)[Key]>, TextValue>>;

/**
 * The texts of an app in one language.
 * - Foyer's messages that the app replaces: ICU messages that use only the placeholders of the message they replace.
 * - Texts that the app adds, in which a brace is literal: `scope.<scope>` (what a scope allows), `reason.<scope>` (why
 *   the app asks for it), `step.<name>.todo` and `step.<name>.doing` (a step's title in this language), `app.tagline`,
 *   `app.description`, `app.nextSteps` (what to do after the install, one step per line), and `app.nextSteps.messages`
 *   (next steps for people who can write to the app: shown first, and only if the app receives messages in the
 *   installation).
 */
export type MessageOverrides = Readonly<
  Partial<
    Record<
      | TextKey
      | `scope.${string}`
      | `reason.${string}`
      | `step.${string}.${'todo' | 'doing'}`
      | 'app.tagline'
      | 'app.description'
      | 'app.nextSteps'
      | 'app.nextSteps.messages',
      string
    >
  >
>;

/**
 * An app's own texts. If the app has no text for a key in a language, Foyer shows Foyer's text in that language. Foyer
 * has no text for `reason.…`, for `app.…` and for scopes that it does not know: for these, it shows the app's text in
 * the default language.
 *
 * @example
 * defineFoyer({
 *   texts: {
 *     defaultLanguage: 'de',
 *     en: {
 *       'welcome.greeting': 'Hello {person}! {app} is ready.',
 *       'reason.im:history': 'So that it greets you only once',
 *       'app.nextSteps': 'Try /standup in a channel\nInvite your team',
 *     },
 *   },
 * });
 */
export type PartialTexts = { readonly defaultLanguage?: Language } & {
  readonly [L in Language]?: MessageOverrides;
};

/** The texts in one language. */
export interface Words {
  readonly language: Language;
  /** Returns a message, with its placeholders filled. */
  text<Key extends TextKey>(
    key: Key,
    ...values: keyof TextValues<Key> extends never ? [] : [values: TextValues<Key>]
  ): string;
  /** Returns what a scope allows; undefined if neither the app nor Foyer has a text. `as: 'user'` for a user scope. */
  scope(scope: string, as?: 'bot' | 'user'): string | undefined;
  /** Returns why the app asks for a scope, in the app's words; undefined if the app gives no reason. */
  reason(scope: string): string | undefined;
  /** Returns a step's title; `own` is the step's own title, undefined for a step that is no longer in the list. */
  step(name: string, own: StepTitle | undefined, form: keyof StepTitle): string;
  /**
   * Returns the app's text about itself in this language, or otherwise in the default language; undefined if it has
   * neither.
   */
  app(key: 'tagline' | 'description' | 'nextSteps' | 'nextSteps.messages'): string | undefined;
}

/** The texts of an app in every language. */
export interface Texts {
  /**
   * Returns the texts for a person's locale, such as `de-AT`. If the locale is unknown or Foyer lacks its language,
   * returns the texts in the default language.
   */
  forLocale(locale: string | null | undefined): Words;
  /**
   * Returns the texts for a request's `Accept-Language` header. If Foyer has none of the header's languages, returns
   * the texts in the default language.
   */
  forRequest(acceptLanguage: string | undefined): Words;
}

const english: Translation = {
  messages: en,
  scopes: scopeSentences,
  userScopes: userScopeSentences,
  steps: {},
};
const translations: Readonly<Record<Language, Translation>> = { en: english, de, fr, es, ja };

/** All languages. The first is the default; an app can set another as `defaultLanguage`. */
export const languages: readonly Language[] = ['en', 'de', 'fr', 'es', 'ja'];

/** Whether Foyer has texts in a language. */
export function isLanguage(text: string): text is Language {
  return (languages as readonly string[]).includes(text);
}

/** Creates the texts of an app: the texts that the app defines itself, and Foyer's texts for the rest. Pure. */
export function createTexts(partial: PartialTexts = {}): Texts {
  const defaultLanguage = partial.defaultLanguage ?? 'en';
  const made = new Map<Language, Words>();

  function words(language: Language): Words {
    const known = made.get(language) ?? createWords(language, partial, defaultLanguage);
    made.set(language, known);
    return known;
  }

  return {
    forLocale: (locale) => words(languageOf(locale ?? '') ?? defaultLanguage),
    forRequest: (header) => words(preferredLanguage(header ?? '') ?? defaultLanguage),
  };
}

function languageOf(tag: string): Language | undefined {
  const [primary = ''] = tag.toLowerCase().split(/[-_]/, 1);
  return isLanguage(primary) ? primary : undefined;
}

/**
 * Returns the language that the header prefers among Foyer's languages (RFC 9110, 12.5.4). Reads its first 200
 * characters.
 */
function preferredLanguage(header: string): Language | undefined {
  const wanted = header
    .slice(0, 200)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(/\s*;\s*/);
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return { language: languageOf(tag), quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ quality }) => quality > 0);
  return wanted.toSorted((a, b) => b.quality - a.quality).find(({ language }) => language !== undefined)
    ?.language;
}

function createWords(language: Language, partial: PartialTexts, defaultLanguage: Language): Words {
  const translation = translations[language];
  const overrides = overridesOf(partial, language);
  const fallback = overridesOf(partial, defaultLanguage);
  const formats = new Map<string, IntlMessageFormat>();

  function format(message: string, values: Readonly<Record<string, TextValue>>): string {
    if (!message.includes('{')) return message;
    const known =
      formats.get(message) ?? new IntlMessageFormat(message, language, undefined, { ignoreTag: true });
    formats.set(message, known);
    return String(known.format(values));
  }

  return {
    language,
    text: (key, ...[values]) => format(overrides[key] ?? translation.messages[key], values ?? {}),
    scope(scope, as = 'bot') {
      const own = overrides[`scope.${scope}`];
      if (own !== undefined) return own;
      const forUser = as === 'user' ? entry(translation.userScopes, scope) : undefined;
      return forUser ?? entry(translation.scopes, scope) ?? fallback[`scope.${scope}`];
    },
    reason: (scope) => overrides[`reason.${scope}`] ?? fallback[`reason.${scope}`],
    step(name, own, form) {
      const replaced = overrides[`step.${name}.${form}`];
      return replaced ?? entry(translation.steps, name)?.[form] ?? own?.[form] ?? readable(name);
    },
    app: (key) => overrides[`app.${key}`] ?? fallback[`app.${key}`],
  };
}

function overridesOf(
  partial: PartialTexts,
  language: Language,
): Readonly<Record<string, string | undefined>> {
  // Without a prototype: a step may be called `constructor`.
  return Object.assign(Object.create(null), partial[language]);
}

function entry<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Makes a title for a step that is no longer in the list: the name `sync-crm_contacts` becomes "Sync crm contacts". */
function readable(name: string): string {
  const words = name.replace(/[-_\s]+/g, ' ').trim() || '-';
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How to show each step of the definition, by the step's name. */
export type StepFaces = Readonly<Record<string, StepFace | undefined>>;

interface StepFace {
  readonly title: StepTitle | undefined;
  /** Whether only operators see the step: installers and members do not. */
  readonly forOperators: boolean;
}

/** Returns an object that maps the name of each given step to how the step is shown. */
export function stepFaces(
  steps: readonly { readonly name: string; readonly title?: StepTitle; readonly forOperators?: boolean }[],
): StepFaces {
  const faces = steps.map(
    ({ name, title, forOperators = false }) => [name, { title, forOperators }] as const,
  );
  // Without a prototype: a step may be called `constructor`.
  return Object.assign(Object.create(null), Object.fromEntries(faces));
}

const unfinished: readonly string[] = ['pending', 'running', 'retrying'];

/**
 * Returns a run as installers and members see it: without the steps for operators. If only such a step is still being
 * retried, the run is shown as ended. So a failing webhook of the operators does not keep a workspace's setup open.
 */
export function runForInstallers<
  Run extends {
    status: string;
    steps: readonly { name: string; status: string; attempts: number }[];
  },
>(run: Run, faces: StepFaces): Run {
  const isForOperators = ({ name }: { name: string }): boolean => faces[name]?.forOperators === true;
  const steps = run.steps.filter((step) => !isForOperators(step));
  const isTriedAgain = run.steps.some(
    (step) =>
      isForOperators(step) &&
      (step.status === 'retrying' || (step.status === 'running' && step.attempts > 1)),
  );
  if (!isTriedAgain || steps.some(({ status }) => unfinished.includes(status))) return { ...run, steps };
  return { ...run, steps, status: steps.some(({ status }) => status === 'failed') ? 'failed' : 'succeeded' };
}
