import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Random } from './random.ts';

/**
 * Records with strace what a process does to the files of a folder, and rebuilds a state in which a power cut may leave
 * the folder.
 */

/** Returns the command under which to run a process, so that strace records the process. */
export function recorderCommand(traceFile: string): string[] {
  const calls =
    'openat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync';
  return ['strace', '-f', '-y', '-xx', '-s', '5000000', '-ttt', '-e', `trace=${calls}`, '-o', traceFile];
}

/** Whether this machine can record: strace is installed and allowed to trace. */
export function canRecord(): boolean {
  try {
    execFileSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

type Change =
  | { kind: 'write'; file: number; offset: number; bytes: Buffer }
  | { kind: 'truncate'; file: number; size: number }
  | { kind: 'name'; folder: string; path: string; file: number | undefined }
  | { kind: 'sync'; file: number; since: number }
  | { kind: 'sync-folder'; folder: string; since: number };

/** One step of the recording; `at` is in milliseconds since 1970. */
export type Step = Change & { at: number };

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');

/** Returns every change below `root`, in order, from the traces of processes that ran one after another. */
export function readTraces(traceFiles: readonly string[], root: string): Step[] {
  const steps: Step[] = [];
  const files = new Map<string, number>();
  let nextFile = 0;
  const begun = new Map<string, { text: string; since: number }>();
  const isOurs = (path: string): boolean => path.startsWith(`${root}/`) || path === root;
  const name = (path: string, file: number | undefined): Change => {
    if (file === undefined) files.delete(path);
    else files.set(path, file);
    return { kind: 'name', folder: dirname(path), path, file };
  };

  const lines = traceFiles.flatMap((file) => readFileSync(file, 'latin1').split('\n'));
  for (const line of lines) {
    const [, thread = '', time = '', rest = ''] = /^(\d+) +(\d+\.\d+) (.*)$/.exec(line) ?? [];
    let call = rest;
    // A sync covers only the changes that were made before it began.
    let since = steps.length;
    if (rest.endsWith('<unfinished ...>')) {
      begun.set(thread, { text: rest.slice(0, -' <unfinished ...>'.length), since });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    if (resumed) {
      const first = begun.get(thread);
      if (!first) continue;
      call = first.text + (resumed[1] ?? '');
      since = first.since;
    }
    const [, what = '', given = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(call) ?? [];
    if (what === '' || result.startsWith('-')) continue;
    const strings = [...given.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, text]) => unhex(text ?? ''));
    const handle = unhex(/^\d+<((?:\\x[0-9a-f]{2})+)>/.exec(given)?.[1] ?? '').toString();
    const paths = strings.map(String);
    const add = (...changes: Change[]): void => {
      for (const change of changes) steps.push({ ...change, at: Number(time) * 1000 });
    };
    const [from = '', to = ''] = paths;
    switch (what) {
      case 'openat':
        if (!isOurs(from) || !given.includes('O_CREAT') || files.has(from)) break;
        add(name(from, nextFile++));
        break;
      case 'rename':
      case 'renameat':
      case 'renameat2':
        if (isOurs(to)) add(name(to, files.get(from)), name(from, undefined));
        break;
      case 'link':
      case 'linkat':
        if (isOurs(to)) add(name(to, files.get(from)));
        break;
      case 'unlink':
      case 'unlinkat':
        if (isOurs(from)) add(name(from, undefined));
        break;
      default: {
        if (!isOurs(handle)) break;
        const file = files.get(handle);
        if (file === undefined) {
          if (what.endsWith('sync')) add({ kind: 'sync-folder', folder: handle, since });
          break;
        }
        const [last = ''] = /(\d+)$/.exec(given) ?? [];
        if (what.endsWith('sync')) add({ kind: 'sync', file, since });
        else if (what === 'ftruncate') add({ kind: 'truncate', file, size: Number(last) });
        else if (what === 'pwrite64') {
          const bytes = (strings[0] ?? Buffer.alloc(0)).subarray(0, Number(result));
          add({ kind: 'write', file, offset: Number(last), bytes });
        } else if (what === 'write') {
          const size = sizeOf(steps, file);
          add({
            kind: 'write',
            file,
            offset: size,
            bytes: (strings[0] ?? Buffer.alloc(0)).subarray(0, Number(result)),
          });
        } else throw new Error(`the replay does not know ${what}`);
      }
    }
  }
  return steps;
}

function sizeOf(steps: readonly Change[], file: number): number {
  let size = 0;
  for (const step of steps) {
    if (step.kind === 'write' && step.file === file) size = Math.max(size, step.offset + step.bytes.length);
    if (step.kind === 'truncate' && step.file === file) size = step.size;
  }
  return size;
}

/**
 * Rebuilds the folder in a state that is possible if the power fails after the steps in `given`. Synced changes are
 * kept. Every other write is kept, dropped or cut off between two sectors, at random. In each folder, a random number
 * of unsynced name changes are kept, the earliest first; the later ones are dropped.
 */
export function replayCut(
  given: readonly Step[],
  { root, target, random }: { root: string; target: string; random: Random },
): void {
  const safeUpTo = new Map<number | string, number>();
  for (const step of given) {
    if (step.kind === 'sync') safeUpTo.set(step.file, step.since);
    if (step.kind === 'sync-folder') safeUpTo.set(step.folder, step.since);
  }
  const names = new Map<string, number>();
  const contents = new Map<number, Buffer>();
  const keeps = new Map<string, number>();
  for (const step of given)
    if (step.kind === 'name' && !keeps.has(step.folder))
      keeps.set(step.folder, random.pick([0, 1, 2, 5, Infinity]));
  for (const [index, step] of given.entries()) {
    if (step.kind === 'name') {
      const isSafe = index < (safeUpTo.get(step.folder) ?? 0);
      const left = keeps.get(step.folder) ?? 0;
      if (!isSafe && left <= 0) continue;
      if (!isSafe) keeps.set(step.folder, left - 1);
      if (step.file === undefined) names.delete(step.path);
      else names.set(step.path, step.file);
    } else if (step.kind === 'write' || step.kind === 'truncate') {
      const isSafe = index < (safeUpTo.get(step.file) ?? 0);
      const fate = isSafe ? 'kept' : random.pick(['kept', 'dropped', 'torn'] as const);
      if (fate === 'dropped') continue;
      const content = contents.get(step.file) ?? Buffer.alloc(0);
      if (step.kind === 'truncate') {
        const cut = Buffer.alloc(step.size);
        content.copy(cut);
        contents.set(step.file, cut);
        continue;
      }
      const sectors = Math.ceil(step.bytes.length / 512);
      const bytes = fate === 'torn' ? step.bytes.subarray(0, random.below(sectors) * 512) : step.bytes;
      const { offset } = step;
      const grown = Buffer.alloc(Math.max(content.length, offset + bytes.length));
      content.copy(grown);
      bytes.copy(grown, offset);
      contents.set(step.file, grown);
    }
  }
  for (const [path, file] of names) {
    // The WAL's index is useless after a crash: SQLite rebuilds it from the WAL.
    if (path.endsWith('-shm')) continue;
    const place = join(target, relative(root, path));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, contents.get(file) ?? Buffer.alloc(0), { mode: 0o600 });
  }
}
