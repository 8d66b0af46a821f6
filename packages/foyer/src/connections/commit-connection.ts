import { deleteConnections, readConnections, saveConnection, useLink } from '../database/connections.ts';
import type { Tx } from '../database/database.ts';
import { appendHistory } from '../database/history.ts';
import { lockInstallation } from '../database/installations.ts';
import type { ConnectionRow } from '../database/records.ts';
import type { LinkClaims } from './link.ts';

/**
 * What happens if the workspace already belongs to another account:
 * - refuse: Foyer refuses the install.
 * - move: the workspace moves to the new account once its installer has confirmed the move.
 * - share: the workspace belongs to both accounts.
 */
export type ConflictRule = 'refuse' | 'move' | 'share';

/** Thrown when an install must not be stored. `code` is in the host's result, the log and the install request. */
export class InstallRefusedError extends Error {
  override readonly name = 'InstallRefusedError';
  /**
   * gate_refused: the app's gate refused. already_connected: the workspace belongs to another account. other_workspace:
   * the link is for another workspace.
   */
  readonly code: 'gate_refused' | 'already_connected' | 'other_workspace';
  /** The gate's reason, which the installer sees; if undefined, the page shows Foyer's own text. */
  readonly reason: string | undefined;
  constructor(code: InstallRefusedError['code'], reason?: string) {
    super(`The install was refused: ${code}`);
    this.code = code;
    this.reason = reason;
  }
}

/**
 * Connects an installation to an account, for an operator. Returns `kept` if the installation was already connected to
 * this account. Returns `other` and changes nothing if it is connected to another account and `move` is false.
 */
export async function connectByHand(
  transaction: Tx,
  wish: {
    installationId: string;
    account: { org: string; subject: string | null; label: string | null };
    move: boolean;
    now: number;
  },
): Promise<'connected' | 'kept' | 'other'> {
  const { installationId, account, now } = wish;
  await lockInstallation(transaction, { id: installationId });
  const known = await readConnections(transaction, installationId);
  const others = known.filter(({ org }) => org !== account.org);
  if (others.length > 0 && !wish.move) return 'other';
  const line = { installationId, at: now, userId: null };
  await disconnect(transaction, others, line);
  const same = known.find(({ org }) => org === account.org);
  const { subject = null, label = null, data = null } = same ?? {};
  await saveConnection(transaction, {
    installationId,
    org: account.org,
    subject: account.subject ?? subject,
    label: account.label ?? label,
    data,
    now,
  });
  if (same) return 'kept';
  await appendHistory(transaction, { ...line, kind: 'connected', detail: account.org });
  return 'connected';
}

async function disconnect(
  transaction: Tx,
  connections: readonly ConnectionRow[],
  line: { installationId: string; at: number; userId: string | null },
): Promise<void> {
  for (const { id, org } of connections) {
    await appendHistory(transaction, { ...line, kind: 'disconnected', detail: org });
    await deleteConnections(transaction, [id]);
  }
}

/** Thrown when a link has already connected a workspace. */
export class LinkUsedError extends Error {
  override readonly name = 'LinkUsedError';
  readonly code = 'link_used';
}

/** Thrown if a workspace would move to another account (rule `move`) and its installer has not confirmed the move. */
export class MoveUnconfirmedError extends Error {
  override readonly name = 'MoveUnconfirmedError';
  readonly code = 'move_unconfirmed';
}

/** One install that carries a link. */
interface ConnectingInstall {
  clientId: string;
  installationId: string;
  runId: string;
  userId: string;
  progressHash: string;
  /**
   * Whether the install follows an uninstall. If so, the connections to other accounts are no longer valid, and this
   * install deletes their records.
   */
  isNewLife: boolean;
  /** Whether the installer has confirmed that this workspace moves to the link's account. */
  confirmedMove: boolean;
  link: LinkClaims;
  rule: ConflictRule;
  now: number;
}

/**
 * Connects an installation in the transaction that stores it (invariant 1). That transaction has locked the
 * installation's row, so two links for one workspace are checked one after the other.
 * @throws LinkUsedError, MoveUnconfirmedError, InstallRefusedError. In each case, nothing is stored.
 */
export async function commitConnection(transaction: Tx, install: ConnectingInstall): Promise<void> {
  const { clientId, installationId, runId, link, rule, now } = install;
  const leadsTo = { installation_id: installationId, run_id: runId, progress_hash: install.progressHash };
  if (!(await useLink(transaction, { clientId, jti: link.jti, org: link.org, ...leadsTo, now })))
    throw new LinkUsedError('this link was already used to connect a workspace');
  const known = await readConnections(transaction, installationId);
  const others = known.filter(({ org }) => org !== link.org);
  if (others.length > 0 && !install.isNewLife) {
    if (rule === 'refuse') throw new InstallRefusedError('already_connected');
    if (rule === 'move' && !install.confirmedMove) throw new MoveUnconfirmedError('not confirmed yet');
  }
  const line = { installationId, at: now, userId: install.userId };
  if (rule !== 'share' || install.isNewLife) await disconnect(transaction, others, line);
  await saveConnection(transaction, {
    installationId,
    org: link.org,
    subject: link.sub ?? null,
    label: link.label ?? null,
    data: link.data === undefined ? null : JSON.stringify(link.data),
    now,
  });
  if (known.some(({ org }) => org === link.org)) return;
  await appendHistory(transaction, { ...line, kind: 'connected', detail: link.org });
}
