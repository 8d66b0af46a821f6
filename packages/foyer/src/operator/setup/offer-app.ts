import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { fillManifest } from '../manifest/fill-manifest.ts';
import { createAppUrl, manifestFileName } from './manifest-file.ts';

/** The app that Slack will create. */
export interface OfferedApp {
  createAppUrl: string;
  manifestFile: string;
  /** Restores the file's earlier content, after a cancelled interview or an `.env` that could not be written. */
  takeBack(): void;
}

/**
 * Fills the manifest, writes it next to `.env` for those who paste, and builds the link for those who click.
 * @throws CommandError if the file cannot be written
 */
export function offerApp(
  folder: string,
  manifestText: string,
  { publicUrl, signsIn }: { publicUrl: string; signsIn: boolean },
): OfferedApp {
  const manifest = fillManifest(manifestText, publicUrl, { signsIn });
  const file = join(folder, manifestFileName);
  const before = replace(file, `${JSON.stringify(manifest, null, 2)}\n`);
  return {
    createAppUrl: createAppUrl(manifest),
    manifestFile: file,
    takeBack() {
      if (before === undefined) rmSync(file, { force: true });
      else writeFileSync(file, before);
    },
  };
}

/** Writes the file, and returns its earlier content. */
function replace(file: string, text: string): string | undefined {
  try {
    const before = readIfThere(file);
    writeFileSync(file, text);
    return before;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      `${file} could not be written: ${reason}. Run setup as a user who may write there. Nothing was changed.`,
      { cause },
    );
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
