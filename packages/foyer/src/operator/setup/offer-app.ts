import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { createAppUrl, fillManifest, manifestFileName } from '../fill-manifest.ts';
import { readIfThere } from './write-env-file.ts';

/** The app that Slack will create. */
export interface OfferedApp {
  createAppUrl: string;
  manifestFile: string;
  /** The file of the app's own manifest if it was changed too; otherwise undefined. */
  ownFile: string | undefined;
  /** Restores the files' earlier content, after a cancelled interview or an `.env` that could not be written. */
  takeBack(): void;
}

/**
 * Fills the manifest, writes it next to `.env`, to be pasted, and builds the link that creates the app from it. `own`
 * is the app's own manifest file, if its text has changed too.
 * @throws CommandError if a file cannot be written; the file that was written before it is restored
 */
export function offerApp(
  folder: string,
  manifestText: string,
  { publicUrl, signsIn, own }: { publicUrl: string; signsIn: boolean; own?: string | undefined },
): OfferedApp {
  const manifest = fillManifest(manifestText, publicUrl, { signsIn });
  const file = join(folder, manifestFileName);
  const restoreFilled = replace(file, `${JSON.stringify(manifest, null, 2)}\n`);
  let restoreOwn = (): void => {};
  try {
    if (own !== undefined) restoreOwn = replace(own, manifestText);
  } catch (error) {
    restoreFilled();
    throw error;
  }
  return {
    createAppUrl: createAppUrl(manifest),
    manifestFile: file,
    ownFile: own,
    takeBack() {
      restoreFilled();
      restoreOwn();
    },
  };
}

/** Writes the file, and returns a function that restores its earlier content. */
function replace(file: string, text: string): () => void {
  try {
    const before = readIfThere(file);
    putWhole(file, text);
    return () => (before === undefined ? rmSync(file, { force: true }) : putWhole(file, before));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      `${file} could not be written: ${reason}. Run setup as a user who may write there. Nothing was changed.`,
      { cause },
    );
  }
}

/** Writes a file whole or not at all: a disk that fills must not leave half a manifest in place of the old one. */
function putWhole(file: string, text: string): void {
  const draft = `${file}.draft`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
