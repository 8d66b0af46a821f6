import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Findings, Measurement, RunOptions } from '../measurement.ts';
import { marksChart } from './marks-chart.ts';
import { marksTable, tableOf } from './table.ts';

/** What the last run of a measurement found, and on which machine. */
interface Kept {
  what: string;
  at: string;
  machine: string;
  slices: number;
  findings: Findings;
}

/** The last run of each measurement, by name. */
type Results = Record<string, Kept>;

const usualFolder = fileURLToPath(new URL('../results', import.meta.url));
const readme = fileURLToPath(new URL('../README.md', import.meta.url));

/**
 * Stores a measurement's findings in `folder`: adds them to `results.json`, and draws `marks.svg` from all results
 * there. In the default folder, it also writes the tables into bench/README.md.
 */
export async function writeResults(
  { name, what, onePass }: Measurement,
  findings: Findings,
  options: RunOptions,
  folder = usualFolder,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'results.json');
  const results: Results = {
    ...(await readResults(file)),
    [name]: {
      what,
      at: new Date().toISOString(),
      machine: machine(),
      slices: onePass ? 1 : options.slices,
      findings,
    },
  };
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
  const marks = Object.values(results).flatMap((kept) => kept.findings.marks);
  await writeFile(join(folder, 'marks.svg'), marksChart(marks));
  if (folder === usualFolder) await fillReadme(results);
}

async function readResults(file: string): Promise<Results> {
  try {
    // Only `writeResults` writes this file.
    return JSON.parse(await readFile(file, 'utf8')) as Results;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

function machine(): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const model = cpus()[0]?.model ?? arch();
  return `${availableParallelism()} cores of ${model}, ${gigabytes} GB, ${type()}, Node ${process.version}`;
}

const [begin, end] = ['<!-- results: written by the bench -->', '<!-- end of results -->'];

async function fillReadme(results: Results): Promise<void> {
  const text = await readFile(readme, 'utf8');
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${readme} lacks the comments that mark its results: ${begin} and ${end}`);
  const marks = Object.values(results).flatMap((kept) => kept.findings.marks);
  const parts = [marksTable(marks), ...Object.entries(results).map(([name, kept]) => section(name, kept))];
  await writeFile(readme, `${before}${begin}\n\n${parts.join('\n\n')}\n\n${end}${after}`);
}

function section(name: string, { what, at, machine: place, slices, findings }: Kept): string {
  const notes = findings.notes.map((note) => `\n\n${note}`).join('');
  return (
    `### ${what}: \`npm run bench -- ${name}\`\n\n${at.slice(0, 10)}, ${slices === 1 ? 'one pass' : `${slices} slices`}, ${place}.\n\n` +
    `${tableOf(findings)}${notes}`
  );
}
