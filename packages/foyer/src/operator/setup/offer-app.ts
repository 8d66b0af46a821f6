import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { createAppUrl, fillManifest, manifestFileName } from '../fill-manifest.ts';
import { readIfThere } from './write-env-file.ts';

/** The app that Slack will create, and the files that describe it. */
export interface OfferedApp {
  createAppUrl: string;
  manifestFile: string;
  /** The app's own manifest file, if `setup` has changed it too; otherwise undefined. */
  ownFile: string | undefined;
  /**
   * Restores the files' earlier content. Called if the interview is cancelled or `.env` cannot be written. Returns what
   * to report: "Nothing was changed.", or which files could not be restored.
   */
  takeBack(): string;
}

/**
 * Fills the manifest and writes it next to `.env`, where people can copy it. Builds the link that creates the app from
 * the filled manifest. If `own` (the app's own manifest file) is given, also writes `manifestText` to that file.
 * @throws CommandError if a file cannot be written; files that were already written are restored
 */
export function offerApp(
  folder: string,
  manifestText: string,
  { publicUrl, signsIn, own }: { publicUrl: string; signsIn: boolean; own?: string | undefined },
): OfferedApp {
  const manifest = fillManifest(manifestText, publicUrl, { signsIn });
  const file = join(folder, manifestFileName);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const changes = [{ file, text }, ...(own === undefined ? [] : [{ file: own, text: manifestText }])];
  const restores: (() => string | undefined)[] = [];
  const takeBack = (): string => {
    const changed = restores.toReversed().flatMap((restore) => restore() ?? []);
    return changed.length === 0 ? 'Nothing was changed.' : `Could not be restored: ${changed.join(', ')}.`;
  };
  for (const change of changes) {
    try {
      const before = readIfThere(change.file);
      restores.push(() => restore(change.file, before));
      // Writes in place: a link stays a link, and the file keeps its owner and its mode.
      writeFileSync(change.file, change.text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CommandError(
        `${change.file} could not be written: ${reason}. Run setup as a user who may write there, on a disk with free ` +
          `space. ${takeBack()}`,
        { cause },
      );
    }
  }
  return { createAppUrl: createAppUrl(manifest), manifestFile: file, ownFile: own, takeBack };
}

/**
 * Writes a file's earlier text back, or removes the file if it did not exist. Even on a full disk, there is room for
 * the earlier text: its space became free when `offerApp` began to write the new text. Returns the file if it could not
 * be restored.
 */
function restore(file: string, before: string | undefined): string | undefined {
  try {
    if (before === undefined) {
      // If `file` is a link, removes the file that the link names, which Foyer created, and keeps the link.
      if (existsSync(file)) rmSync(realpathSync(file));
    } else if (readIfThere(file) !== before) writeFileSync(file, before);
    return undefined;
  } catch {
    return file;
  }
}
