import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { backlog } from './measure/backlog.ts';
import { events } from './measure/events.ts';
import { home } from './measure/home.ts';
import { installs } from './measure/installs.ts';
import { memory } from './measure/memory.ts';
import { startUp } from './measure/start-up.ts';
import { store } from './measure/store.ts';
import type { Measurement, RunOptions } from './measurement.ts';
import { summarizeProfiles } from './report/summarize-profiles.ts';
import { marksTable, tableOf } from './report/table.ts';
import { writeResults } from './report/write-results.ts';

/**
 * `npm run bench` runs all of these, one after the other. `npm run bench -- events --slices 10 --profile` runs one, and
 * prints where Foyer's time goes.
 */
const measurements: readonly Measurement[] = [events, installs, memory, store, startUp, home, backlog];

const names = measurements.map((measurement) => measurement.name);

/** Profiles stay here until the next run with --profile, so that another tool can draw them. */
const profiles = join(tmpdir(), 'foyer-bench-profiles');

interface Flags {
  slices?: string;
  profile?: string | true;
  quick?: true;
  out?: string;
}

async function main(wanted: readonly string[], flags: Flags): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'foyer-bench-'));
  // Some of the databases here have a million rows: the folder is removed even if a signal ends the bench.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const startedAt = performance.now();
  const profiled = flags.profile === true ? 'Foyer' : flags.profile;
  if (profiled !== undefined) rmSync(profiles, { recursive: true, force: true });
  const options: RunOptions = {
    slices: flags.slices ? Number(flags.slices) : flags.quick ? 2 : 10,
    quick: flags.quick === true,
    folder,
    profileOf(contender, situation = '') {
      const isWanted = profiled !== undefined && contender.startsWith(profiled);
      const name = `${contender} ${situation}`.replaceAll(/\W+/g, '-');
      return isWanted ? join(profiles, `${name}.cpuprofile`) : undefined;
    },
    say: (text) =>
      console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}`),
  };
  for (const measurement of measurements) {
    if (wanted.length > 0 && !wanted.includes(measurement.name)) continue;
    options.say(measurement.what);
    const findings = await measurement.run(options);
    console.log(`\n## ${measurement.what}: \`npm run bench -- ${measurement.name}\`\n`);
    console.log(tableOf(findings));
    console.log(`\n${marksTable(findings.marks)}`);
    for (const note of findings.notes) console.log(`\n${note}`);
    // A profiled contender is slower than the others, and a quick run proves nothing, so their results are stored only
    // in a folder that --out names.
    const isKept = !options.quick && profiled === undefined;
    if (isKept || flags.out) await writeResults(measurement, findings, options, flags.out);
  }
  if (profiled !== undefined) console.log(`\n${await summarizeProfiles(profiles)}\nKept in ${profiles}`);
}

await new Command('bench')
  .description(
    'Compares Foyer’s performance with that of stock Bolt, Kysely and pg-boss; see bench/README.md.',
  )
  .addArgument(new Argument('[measurement...]', 'the measurements to run (default: all)').choices(names))
  .option('--slices <count>', 'how many turns of each contender to measure (default: 10, or 2 with --quick)')
  .addOption(
    new Option(
      '--profile [contender]',
      'take a CPU profile of each contender whose name begins with this text (“Foyer” if none is given)',
    ),
  )
  .option('--quick', 'use sizes so small that they only show whether the bench runs')
  .option('--out <folder>', 'the folder for results.json and marks.svg (default: bench/results)')
  .action(main)
  .parseAsync();
