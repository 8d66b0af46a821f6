import type { UnwritablePath } from '../../database/sqlite/find-unwritable.ts';

/** Says which paths Foyer cannot write, and why. */
export function unwritableDetail(unwritable: readonly UnwritablePath[]): string {
  return `Foyer cannot write ${unwritable.map(unwritableText).join('; ')}.`;
}

function unwritableText({ path, reason, mode, uid }: UnwritablePath): string {
  if (reason === 'EROFS') return `${path}, whose disk is mounted read-only`;
  if (reason === 'ENOTDIR') return `${path}, which is not a folder`;
  const rights = `mode ${mode.toString(8)}, owner ${uid}`;
  return reason === 'owner' ? `${path}, which belongs to another user (${rights})` : `${path} (${rights})`;
}

/** The fix for a disk that is mounted read-only. */
export const remountFix =
  'Mount the disk so that it can be written (mount -o remount,rw …; in a container, mount a volume there), and restart Foyer. A failing disk also becomes read-only: check dmesg.';
