import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { fillManifest } from '../fill-manifest.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Column, table } from '../terminal/table.ts';
import { operatorCommand } from './command-help.ts';

/** `manifest`: prints the app manifest to paste at Slack, or lists how Slack’s copy differs from it. */
export function manifestCommand(deps: OperatorDeps): Command {
  return operatorCommand('manifest', {
    summary: 'print the app manifest with your PUBLIC_URL, or compare it with Slack’s',
    description:
      'Prints manifest.json with PUBLIC_URL in its redirect, event and interactivity URLs. Paste the output at ' +
      'api.slack.com/apps → Create New App → From a manifest. The command needs only PUBLIC_URL, no secret; with ' +
      'SIGN_IN=on it adds the redirect URL of Sign in with Slack.',
    examples: [
      ['manifest', 'what to paste when you create the app'],
      ['manifest --check exported.json', 'does Slack’s copy (App Manifest page, JSON) still match ours?'],
    ],
  })
    .option(
      '--check <file>',
      'compare with a JSON manifest exported from Slack instead; exit 1 if they differ',
    )
    .action(async (options: { check?: string; json?: boolean }) => {
      const url = deps.readPublicUrl() + deps.basePath;
      const ours = fillManifest(deps.readManifest(), url, { signsIn: deps.readSignsIn() });
      if (options.check === undefined) return deps.output.printJson(ours);
      check(deps, compareManifests(ours, readExport(options.check)), options.json);
    });
}

function check({ output }: OperatorDeps, differences: ManifestDifference[], json: boolean | undefined): void {
  if (json) output.printJson({ matches: differences.length === 0, differences });
  else if (differences.length === 0) output.print('Slack’s manifest matches ours.');
  else output.print(table(output, columns, differences));
  if (differences.length === 0) return;
  throw new CommandError(
    `Slack’s manifest differs in ${differences.length} ${differences.length === 1 ? 'place' : 'places'}. ` +
      'Paste the output of `npm run foyer -- manifest` into the app’s App Manifest page.',
  );
}

const columns: Column<ManifestDifference>[] = [
  { title: 'WHERE', value: ({ path }) => path },
  { title: 'OURS', value: ({ expected }) => valueText(expected) },
  { title: 'SLACK’S', value: ({ found }) => valueText(found) },
];

function valueText(value: unknown): string | null {
  return typeof value === 'string' ? value : value === null ? null : JSON.stringify(value);
}

function readExport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(
      `${file} cannot be read as JSON (${reason}). Export the manifest from the app’s App Manifest page, as JSON.`,
    );
  }
}

interface ManifestDifference {
  /** Where in the manifest the difference is, such as `settings.event_subscriptions.bot_events`. */
  path: string;
  /** The value in our manifest, or null if only Slack's manifest has a value there. */
  expected: unknown;
  /** The value in Slack's manifest, or null if only our manifest has a value there. */
  found: unknown;
}

/**
 * Lists where a manifest exported from Slack differs from ours. Arrays, such as scopes or events, are compared as sets:
 * the order does not matter, and each missing or extra item is a separate difference. Slack's export contains settings
 * that we leave at their default. So if only Slack's copy has a setting, and it is off or empty, that is not a
 * difference. `_metadata` is ignored: it describes the file and not the app.
 */
export function compareManifests(ours: unknown, slacks: unknown, path = ''): ManifestDifference[] {
  if (Array.isArray(ours) && Array.isArray(slacks)) return compareLists(ours, slacks, path);
  if (!isObject(ours) || !isObject(slacks)) {
    return ours === slacks ? [] : [{ path, expected: ours, found: slacks ?? null }];
  }
  const names = new Set([...Object.keys(ours), ...Object.keys(slacks)]);
  if (path === '') names.delete('_metadata');
  return [...names].flatMap((name) => {
    const inner = path === '' ? name : `${path}.${name}`;
    if (name in ours) return compareManifests(ours[name], slacks[name], inner);
    return isOff(slacks[name]) ? [] : [{ path: inner, expected: null, found: slacks[name] }];
  });
}

function compareLists(ours: unknown[], slacks: unknown[], path: string): ManifestDifference[] {
  const texts = (list: unknown[]) => new Set(list.map((item) => JSON.stringify(item)));
  const [wanted, present] = [texts(ours), texts(slacks)];
  return [
    ...ours
      .filter((item) => !present.has(JSON.stringify(item)))
      .map((expected) => ({ path, expected, found: null })),
    ...slacks
      .filter((item) => !wanted.has(JSON.stringify(item)))
      .map((found) => ({ path, expected: null, found })),
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns whether a value is false, null, empty, or an object with only such values. */
function isOff(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).every(isOff);
  return value === false || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
