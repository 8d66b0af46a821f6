import type { Queries } from '../database.ts';

/** Marks an active installation broken, with `ifVersion` only at that version. Returns whether it changed. */
export async function markInstallationBroken(
  transaction: Queries,
  mark: { installationId: string; reason: string; ifVersion?: number },
): Promise<boolean> {
  const { installationId, reason, ifVersion } = mark;
  const row = await transaction
    .updateTable('installations')
    .set({ status: 'broken', broken_reason: reason })
    .where('id', '=', installationId)
    .where('status', '=', 'active')
    .$if(ifVersion !== undefined, (query) => query.where('version', '=', ifVersion ?? 0))
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
