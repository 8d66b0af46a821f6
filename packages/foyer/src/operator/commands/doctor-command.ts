import type { Command } from 'commander';
import { counted } from '../../config/counted.ts';
import { CommandError } from '../command-error.ts';
import type { Finding } from '../doctor/finding.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import type { Output, Style } from '../terminal/output.ts';
import { plainText } from '../terminal/plain-text.ts';
import { operatorCommand } from './command-help.ts';

/** `doctor`: reports what is wrong, and how to fix it. */
export function doctorCommand(deps: OperatorDeps): Command {
  return operatorCommand('doctor', {
    summary: 'check everything, and say how to fix what is wrong',
    description:
      'Checks environment, key, database, manifest, public URL, Slack, tokens, runs and notifications. It works whether ' +
      'or not Foyer is running, and changes nothing. Exit code 1 if something does not work, 0 if there are only warnings. ' +
      'To test the client id and secret, it asks Slack to exchange a code that does not exist, which Slack refuses. It asks the ' +
      'running Foyer about its settings, its proxies and the requests from Slack, logs in to the mail server, and checks ' +
      'that the webhook exists; it sends no message.',
    examples: [
      ['doctor', 'is anything wrong, or about to be?'],
      ['doctor --json', 'for a monitor: an array of { check, status, detail, fix }'],
      ['doctor --manifest exported.json', 'does the app at Slack fit the configuration?'],
    ],
  })
    .option(
      '--offline',
      'skip the checks that contact Slack, the running Foyer, the webhook or the mail server',
    )
    .option(
      '--manifest <file>',
      'a JSON manifest exported from Slack (default: the one that setup saved, or manifest.json)',
    )
    .action(async (options: { offline?: boolean; manifest?: string; json?: boolean }) => {
      const { runDoctor } = await import('../doctor/run-doctor.ts');
      const findings = await runDoctor(deps, { offline: options.offline, manifestFile: options.manifest });
      if (options.json) deps.output.printJson(findings);
      else deps.output.print(findingLines(deps.output, findings));
      const problems = findings.filter(({ status }) => status === 'fault').length;
      if (problems > 0) throw new CommandError(`${counted(problems, 'problem')} to fix.`);
    });
}

const marks: Readonly<Record<Finding['status'], { mark: string; style: Style }>> = {
  ok: { mark: '✓', style: 'green' },
  warning: { mark: '!', style: 'yellow' },
  fault: { mark: '✕', style: 'red' },
};

/** Formats the findings as text for a person: one line for each finding, with its fix below. */
export function findingLines({ style }: Pick<Output, 'style'>, findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, status, detail, fix }) => {
      const { mark, style: look } = marks[status];
      const line = `${style(look, mark)} ${check.padEnd(width)}  ${plainText(detail)}`;
      return fix === null ? line : `${line}\n  ${' '.repeat(width)}  → ${plainText(fix)}`;
    })
    .join('\n');
}
