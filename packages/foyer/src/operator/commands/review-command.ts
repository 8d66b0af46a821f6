import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { fillManifest } from '../fill-manifest.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { marketplaceChecklist, type ReviewedApp, type ReviewPoint } from '../review/marketplace-checklist.ts';
import { type Column, fieldLines, table } from '../terminal/table.ts';
import { operatorCommand } from './command-help.ts';

/** `review`: checks the points of Slack's Marketplace review, and prints the texts to paste into the submission. */
export function reviewCommand(deps: OperatorDeps): Command {
  return operatorCommand('review', {
    summary: 'check the app against Slack’s Marketplace review',
    description:
      'Compares the manifest, the brand, the texts and the configuration with Slack’s guidelines for the Marketplace, ' +
      'and reports what passes, what fails, and what only you can check. Then it prints the texts that the submission ' +
      'asks for, such as a reason for each scope. It contacts neither Slack nor the database. Exit code 1 if something ' +
      'fails.',
    examples: [
      ['review', 'is the app ready to be submitted?'],
      ['review --json', 'print the report as JSON, for a script'],
    ],
  }).action((options: { json?: boolean }) => review(deps, options));
}

async function review(deps: OperatorDeps, options: { json?: boolean }): Promise<void> {
  const { output } = deps;
  const config = deps.readConfig();
  const { basePath, publicUrl } = config.http;
  const manifest = fillManifest(deps.readManifest(), publicUrl + basePath);
  const app = { config, manifest, ...deps.readPresentation(config) };
  const points = marketplaceChecklist(app);
  const texts = submissionTexts(app);
  if (options.json) output.printJson({ points, texts: Object.fromEntries(texts) });
  else {
    output.print(table(output, columns, points));
    output.print(`\nTo paste into the submission:\n${fieldLines(texts)}`);
  }
  const failed = points.filter(({ result }) => result === 'fail').length;
  if (failed > 0)
    throw new CommandError(
      `Not ready: ${failed} ${failed === 1 ? 'point fails' : 'points fail'}, see above.`,
    );
}

function submissionTexts({ brand, config, words }: ReviewedApp): [name: string, value: string | null][] {
  const { baseUrl } = config.http;
  const { botScopes, userScopes } = config.slack;
  return [
    ['name', brand.name],
    ['short description', brand.tagline || null],
    ['long description', brand.description || null],
    ['landing page', `${baseUrl}/`],
    ['direct install URL', `${baseUrl}/slack/install`],
    ['privacy policy', brand.privacyUrl],
    ['support', brand.supportUrl],
    ...[...new Set([...botScopes, ...userScopes])].map((scope): [string, string | null] => [
      scope,
      words.reason(scope) ?? null,
    ]),
  ];
}

const styles = { pass: 'green', fail: 'red', 'by hand': 'yellow' } as const;

const columns: Column<ReviewPoint>[] = [
  { title: 'RESULT', value: ({ result }) => result, style: ({ result }) => styles[result] },
  { title: 'POINT', value: ({ point }) => point },
  { title: 'DETAIL', value: ({ detail }) => detail },
];
