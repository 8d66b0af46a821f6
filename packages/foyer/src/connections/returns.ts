import type { Config } from '../config/config.ts';
import { findUsedLink } from '../database/connections.ts';
import type { Database } from '../database/database.ts';
import { type InstallRecord, readInstallRecord } from '../database/install-record.ts';
import { createResult, type LinkClaims, type ResultClaims, withResult } from './link.ts';

/** How an OAuth attempt ended, as Foyer reports it to the host. */
export interface InstallEnd {
  outcome: ResultClaims['outcome'];
  /** Why the app was not installed, such as `access_denied`; absent if it was installed. */
  error?: string;
  /** The workspace, if Slack named it. */
  place?: { teamId: string | null; teamName: string | null; enterpriseId: string | null; orgWide: boolean };
  installationId?: string;
  runId?: string;
}

/**
 * Creates the functions that build the host's return address. If connecting is on, the address contains a signed
 * result.
 */
export function createReturns(deps: {
  config: Pick<Config, 'connect' | 'slack' | 'successRedirectUrl' | 'errorRedirectUrl'>;
  database: Pick<Database, 'queries'>;
  now: () => number;
}) {
  const { config, database, now } = deps;

  /** Returns the link's `return_to`. Without one, returns the redirect URL in the environment, if it is set. */
  function addressFor(link: LinkClaims | undefined, outcome: InstallEnd['outcome']): string | undefined {
    if (link?.return_to !== undefined) return link.return_to;
    return outcome === 'installed' ? config.successRedirectUrl : config.errorRedirectUrl;
  }

  /**
   * Returns the URL to which the browser goes after an attempt with the given `end`; undefined if Foyer shows its own
   * page.
   */
  async function toHost(
    attempt: { requestId: string; link?: LinkClaims },
    end: InstallEnd,
  ): Promise<string | undefined> {
    const { link } = attempt;
    const address = addressFor(link, end.outcome);
    if (address === undefined || !config.connect) return address;
    const { place } = end;
    const claims: ResultClaims = {
      jti: link?.jti ?? attempt.requestId,
      ...(link && { org: link.org }),
      ...(link?.sub !== undefined && { sub: link.sub }),
      outcome: end.outcome,
      ...(end.error !== undefined && { error: end.error }),
      team_id: place?.teamId ?? null,
      team_name: place?.teamName ?? null,
      enterprise_id: place?.enterpriseId ?? null,
      is_enterprise_install: place?.orgWide ?? false,
      installation_id: end.installationId ?? null,
      run_id: end.runId ?? null,
    };
    return withResult(address, await createResult(config.connect.secret, claims, now()));
  }

  return {
    toHost,

    /**
     * Returns where the browser goes if it repeats the callback of an install without a link. Returns undefined if
     * Foyer shows its own page, for example because the app was uninstalled after that install.
     */
    async afterInstall(
      requestId: string,
      { installationId, runId }: { installationId: string; runId: string | null },
    ): Promise<string | undefined> {
      const record = await readInstallRecord(database.queries, installationId);
      if (!record || record.status === 'uninstalled') return undefined;
      return toHost({ requestId }, installedEnd(record, runId));
    },

    /**
     * Returns `used` if the link has already connected a workspace. The browser then goes to `location`, with the
     * result of the install that used the link. `location` is undefined if there is no address to return to, or if the
     * installation was erased after that install.
     */
    async earlierUse(
      link: LinkClaims,
    ): Promise<{ kind: 'unused' } | { kind: 'used'; location: string | undefined }> {
      const { clientId } = config.slack;
      const use = await findUsedLink(database.queries, { clientId, jti: link.jti });
      if (!use) return { kind: 'unused' };
      const { installation_id: installationId, run_id: runId } = use;
      const record = installationId && (await readInstallRecord(database.queries, installationId));
      if (!record) return { kind: 'used', location: undefined };
      const end = installedEnd(record, runId);
      return { kind: 'used', location: await toHost({ requestId: link.jti, link }, end) };
    },
  };
}

function installedEnd(record: InstallRecord, runId: string | null): InstallEnd {
  const { id: installationId, teamId, teamName, enterpriseId, isEnterpriseInstall: orgWide } = record;
  const place = { teamId, teamName, enterpriseId, orgWide };
  return { outcome: 'installed', place, installationId, runId: runId ?? undefined };
}

export type Returns = ReturnType<typeof createReturns>;
