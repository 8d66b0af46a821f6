import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { compareManifests, type ManifestDifference } from '../manifest/compare-manifests.ts';
import { fillManifest } from '../manifest/fill-manifest.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { type Column, table } from '../terminal/table.ts';
import { exampleLines, jsonOption } from './command-help.ts';

/** `manifest`: prints the app manifest to give to Slack, or how Slack’s copy differs from it. */
export function manifestCommand(deps: OperatorDeps): Command {
  return new Command('manifest')
    .summary('print the app manifest with your PUBLIC_URL, or compare it with Slack’s')
    .description(
      'Prints manifest.json with PUBLIC_URL in its redirect, event and interactivity URLs: what you paste at ' +
        'api.slack.com/apps → Create New App → From a manifest. It needs only PUBLIC_URL, no secret; with ' +
        'SIGN_IN=on it adds the redirect URL of Sign in with Slack.',
    )
    .option(
      '--check <file>',
      'compare with a JSON manifest exported from Slack instead; exit 1 if they differ',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      exampleLines([
        ['manifest', 'what to paste when you create the app'],
        ['manifest --check exported.json', 'does Slack’s copy (App Manifest page, JSON) still match ours?'],
      ]),
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
      'Paste what `npm run foyer -- manifest` prints into the app’s App Manifest page.',
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
