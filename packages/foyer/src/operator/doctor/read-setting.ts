import { type Config, completeConfig, parseConfig } from '../../config/config.ts';
import { ConfigError, type ConfigProblem } from '../../config/config-error.ts';
import { parseManifest } from '../../config/manifest.ts';
import type { OperatorDeps } from '../operator-deps.ts';

/** The usable part of the environment, and the problems in the other part. */
export interface Setting {
  /** Built from the valid part of the environment; undefined if that part does not suffice. */
  config: Config | undefined;
  problems: readonly ConfigProblem[];
  /** Why the environment could not be read at all; undefined if it was read. */
  unreadable: string | undefined;
  /**
   * Returns those of the given variables that are missing or wrong. For each variable that it returns, `config` has a
   * default or a placeholder.
   */
  wrongOf(...names: string[]): string[];
}

/** Used instead of missing or wrong values, so that `doctor` can check everything else. */
const placeholders: Readonly<Record<string, string>> = {
  SLACK_CLIENT_ID: '-',
  SLACK_CLIENT_SECRET: '-',
  SLACK_SIGNING_SECRET: '-',
  // With Postgres there is no key file, so this variable is required and must be a valid key. Nothing is encrypted with
  // it.
  TOKEN_ENCRYPTION_KEYS: `none:${'A'.repeat(43)}`,
};

/** Reads the environment. Lists wrong values in `problems`; `config` has defaults or placeholders for them. */
export function readSetting(
  deps: Pick<OperatorDeps, 'givenConfig' | 'basePath' | 'readEnvironment' | 'readManifest'>,
): Setting {
  const { givenConfig, basePath } = deps;
  if (givenConfig) {
    const problems: ConfigProblem[] = [];
    const manifest = parseManifest(deps.readManifest(), problems);
    const config = manifest && completeConfig(givenConfig, manifest, { basePath });
    return { config, problems, unreadable: undefined, wrongOf: (...names) => (config ? [] : names) };
  }
  let environment: Readonly<Record<string, string | undefined>> = {};
  let unreadable: string | undefined;
  try {
    environment = deps.readEnvironment();
  } catch (error) {
    const reason = error instanceof ConfigError ? error.cause : error;
    unreadable = reason instanceof Error ? reason.message : String(reason);
  }
  const manifest = deps.readManifest();
  const first = tryParse(environment, manifest, basePath);
  const wrong = new Set(first.problems.flatMap(({ name }) => name.split(', ')));
  const setting = {
    problems: first.problems,
    unreadable,
    wrongOf: (...names: string[]) => names.filter((name) => wrong.has(name)),
  };
  if (first.config) return { ...setting, config: first.config };
  const usable = Object.entries(environment).filter(([name]) => !wrong.has(name));
  // The second parse uses the rules for development, because the stricter rules for production could make it fail too.
  // The first parse has already added what those rules found to `problems`.
  const relaxed = { ...Object.fromEntries(usable), ...pick(placeholders, wrong), NODE_ENV: 'development' };
  const simple = wrong.has('manifest.json') ? emptyManifest : manifest;
  return { ...setting, config: tryParse(relaxed, simple, basePath).config };
}

const emptyManifest = JSON.stringify({
  display_information: { name: 'the app' },
  oauth_config: { scopes: {} },
});

function pick(from: Readonly<Record<string, string>>, names: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.has(name)));
}

function tryParse(
  environment: Readonly<Record<string, string | undefined>>,
  manifest: string,
  basePath: string,
): { config: Config | undefined; problems: readonly ConfigProblem[] } {
  try {
    return { config: parseConfig(environment, manifest, basePath), problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { config: undefined, problems: error.problems };
    throw error;
  }
}
