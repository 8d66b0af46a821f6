import { type FileHandle, open } from 'node:fs/promises';
import type { TestContext } from 'node:test';

/** Replaces the `datasync` of every file until the test ends, to simulate a disk that is slow or fails. */
export async function replaceDatasync(t: TestContext, datasync: () => Promise<void>) {
  const handle = await open(import.meta.filename);
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  return t.mock.method(prototype, 'datasync', datasync);
}
