import { resolve } from 'node:path';
import type { Installation } from '@slack/oauth';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../database/database.ts';
import { verifyKeyring } from '../../installations/verify-keyring.ts';
import { slackFailure } from '../../slack/slack-failure.ts';
import { CommandError } from '../command-error.ts';
import { readSource, type SourceEntry } from '../import/read-source.ts';
import { judgeTakeOver, type TakeOver, takeOver } from '../import/take-over.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { withDatabase } from '../with-database.ts';
import { operatorCommand } from './command-help.ts';

interface ImportOptions {
  from: string;
  dryRun?: boolean;
  check?: boolean;
  run?: boolean;
  json?: boolean;
}

/** `import --from SOURCE`: copies the installations of another store into Foyer's. */
export function importCommand(deps: OperatorDeps): Command {
  return operatorCommand('import', {
    summary: 'take over installations from another store',
    description:
      'Takes over installations from the folder of @slack/oauth’s FileInstallationStore, or from a file that has one ' +
      'Installation object as JSON on each line (if several lines are about one team, Foyer takes the bot from the ' +
      'first). ' +
      'A team that Foyer knows already is never overwritten, so you can run this again. Without --run, no install ' +
      'run is started: no step runs, and no one is sent a welcome. Tokens are encrypted, and never printed; ' +
      'delete the source afterward.',
    examples: [
      [
        'import --from ./installations --dry-run --check',
        'which installations would Foyer take over, and which tokens are dead?',
      ],
      ['import --from ./installations', 'from a stock Bolt app'],
      [
        'import --from installations.jsonl --json',
        'take over a file with one installation per line, and print the outcome for a script',
      ],
    ],
  })
    .requiredOption(
      '--from <source>',
      'the folder of FileInstallationStore, or the file with one installation per line',
    )
    .option('--dry-run', 'print which installations the import would store, but store nothing')
    .option('--check', 'ask Slack whether each token works (auth.test), and refuse one that does not')
    .option('--run', 'start an install run for each installation; the run sends the installer the welcome')
    .action((options: ImportOptions) => takeOverAll(deps, options));
}

/** The outcome for one installation of the source. */
interface Imported {
  at: string;
  teamId: string | null;
  enterpriseId: string | null;
  userId: string | null;
  outcome: TakeOver | 'refused';
  reason: string | null;
}

async function takeOverAll(deps: OperatorDeps, options: ImportOptions): Promise<void> {
  const { output } = deps;
  await withDatabase(deps, async (config, database) => {
    await verifyKeyring(database, deps.loadKeyring(config), { now: deps.now });
    const counts = { installation: 0, person: 0, known: 0, refused: 0 };
    const pages = importEach(deps, { config, database, options, counts });
    try {
      if (options.json) await output.printJsonList(pages);
      else
        for await (const [one] of pages) {
          if (one?.outcome === 'refused') output.note(`${one.at}: refused, ${one.reason}`);
        }
    } finally {
      deps.progress(null);
    }
    const { installation, person, known, refused } = counts;
    output.note(
      `${options.dryRun ? 'Would be taken over' : 'Taken over'}: ${installation} installations, ${person} additional user tokens. ` +
        `Already in Foyer: ${known}. Refused: ${refused}.`,
    );
    if (refused > 0) throw new CommandError('Not everything was taken over: see the lines above.');
  });
}

async function* importEach(
  deps: OperatorDeps,
  work: {
    config: Config;
    database: Database;
    options: ImportOptions;
    counts: Record<Imported['outcome'], number>;
  },
): AsyncGenerator<Imported[]> {
  const { config, database, options, counts } = work;
  const store = deps.openImporter(config, database);
  let seen = 0;
  for await (const entry of readSource(resolve(options.from), config.slack.clientId)) {
    const end = await importOne(entry);
    counts[end.outcome] += 1;
    seen += 1;
    if (seen % 100 === 0) deps.progress({ doing: 'reading', done: seen, of: null, unit: 'entries' });
    const of = 'installation' in entry.read ? entry.read.installation : undefined;
    const ids = { teamId: of?.team?.id ?? null, enterpriseId: of?.enterprise?.id ?? null };
    yield [{ at: entry.at, ...ids, userId: of?.user.id ?? null, ...end }];
  }

  async function importOne({ read, writtenAt }: SourceEntry): Promise<Pick<Imported, 'outcome' | 'reason'>> {
    if ('refusal' in read) return { outcome: 'refused', reason: read.refusal };
    const { installation } = read;
    const part = await judgeTakeOver(database, config.slack.clientId, installation);
    if (part === 'known') return { outcome: part, reason: null };
    const reason = options.check ? await deadToken(installation, part) : undefined;
    if (reason !== undefined) return { outcome: 'refused', reason };
    if (!options.dryRun) {
      const now = deps.now();
      // A time in the future comes from a wrong clock. It would make Foyer treat every event as older than the install.
      const issuedAt = writtenAt === undefined ? undefined : Math.min(writtenAt, now);
      await takeOver(store, installation, { part, issuedAt, withRun: options.run === true, now });
    }
    return { outcome: part, reason: null };
  }

  /**
   * Tests one token with Slack: the bot's, or the person's if there is no bot or the import adds only the person.
   * Returns why the token cannot be used; undefined if it works.
   */
  async function deadToken({ bot, user, team }: Installation, part: TakeOver): Promise<string | undefined> {
    const token = part === 'person' ? user.token : (bot?.token ?? user.token);
    if (token === undefined) return 'it holds no token';
    try {
      const slack = await deps.slackClients(config);
      const { team_id: teamId } = await slack(token, { timeoutMs: 10_000 }).auth.test();
      return team && teamId !== team.id ? 'its token belongs to another team' : undefined;
    } catch (error) {
      const failure = slackFailure(error);
      if (!failure) throw error;
      return `auth.test failed: ${failure.code}`;
    }
  }
}
