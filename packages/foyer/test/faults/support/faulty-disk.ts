import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * `sync-fails`: syncs fail with EIO. `write-lost`: writes to the WAL are dropped. `locks-fail`: locks fail with ENOLCK.
 */
export type DiskFault = 'sync-fails' | 'write-lost' | 'locks-fail';

/** Lets a test cause disk faults in a process that the test starts with `environment`. */
export interface FaultyDisk {
  environment: Record<string, string>;
  /** Takes effect immediately, so a test can call it in the middle of an operation. */
  fail(fault: DiskFault): void;
  heal(): void;
}

/** Compiles the library that makes a disk fail; undefined without a C compiler, or on a system other than Linux. */
export function createFaultyDisk(t: TestContext): FaultyDisk | undefined {
  if (process.platform !== 'linux') return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'foyer-disk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, 'faulty-disk.so');
  try {
    const source = join(import.meta.dirname, 'faulty-disk.c');
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-w', '-o', library, source, '-ldl'], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const faults: DiskFault[] = [];
  return {
    environment: { LD_PRELOAD: library, FAULTS: folder },
    fail(fault) {
      faults.push(fault);
      writeFileSync(join(folder, fault), '');
    },
    heal() {
      for (const fault of faults.splice(0)) rmSync(join(folder, fault), { force: true });
    },
  };
}
