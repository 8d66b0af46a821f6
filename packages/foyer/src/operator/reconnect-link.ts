import type { Config } from '../config/config.ts';
import type { InstallRecord } from '../database/install-record.ts';
import type { Output } from './terminal/output.ts';

/** An installation without a working token, and the link with which an admin can install the app again. */
export interface Disconnected extends Pick<InstallRecord, 'teamId' | 'enterpriseId'> {
  reconnectUrl: string;
}

/**
 * Adds the link with which an admin of the team can install the app again. Such an install continues the same record.
 */
export function withReconnectLink<Installation extends Pick<InstallRecord, 'teamId' | 'enterpriseId'>>(
  config: Config,
  installation: Installation,
): Installation & Disconnected {
  const { teamId } = installation;
  const team = teamId === null ? '' : `?team=${encodeURIComponent(teamId)}`;
  return { ...installation, reconnectUrl: `${config.http.baseUrl}/slack/install${team}` };
}

const mostLinks = 20;

/** Tells the operator what to do about installations that lost their tokens. */
export function noteReconnectLinks(output: Pick<Output, 'note'>, lost: readonly Disconnected[]): void {
  if (lost.length === 0) return;
  output.note(
    'An admin of each team must install the app again; the team’s record then continues. Send each admin their link ' +
      'from this list, or from `npm run foyer -- list --status broken`.',
  );
  for (const { teamId, enterpriseId, reconnectUrl } of lost.slice(0, mostLinks))
    output.note(`  ${teamId ?? enterpriseId}  ${reconnectUrl}`);
  if (lost.length > mostLinks) output.note(`  and ${lost.length - mostLinks} more (--json lists all)`);
}
