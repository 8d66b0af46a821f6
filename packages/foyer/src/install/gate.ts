import type { Installation } from '@slack/oauth';
import { InstallRefusedError } from '../connections/commit-connection.ts';
import type { LinkClaims } from '../connections/link.ts';
import type { Queries } from '../database/database.ts';
import { findInstallRecords, type InstallRecord } from '../database/install-record.ts';
import { inTime } from '../http/in-time.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';

/** An install that Slack has approved and Foyer has not yet stored. */
export interface Candidate {
  /** Null for an org-wide install. */
  team: { id: string; name: string | null } | null;
  /** The Grid organization of the install or of its workspace; null if it belongs to none. */
  enterprise: { id: string; name: string | null } | null;
  isEnterpriseInstall: boolean;
  installer: {
    id: string;
    /**
     * Asks Slack whether the installer is an admin or owner. Always true for an org-wide install, since only admins can
     * make one. For any other install, false if the bot was not granted `users:read`. Rejects if the call to Slack
     * fails.
     */
    isAdmin(): Promise<boolean>;
  };
  /** The workspace's address from `auth.test`, such as `https://acme.slack.com/`; null if Slack did not send one. */
  url: string | null;
  /** The granted scopes, which may be fewer than the requested ones. */
  botScopes: readonly string[];
  userScopes: readonly string[];
  /** The account in your product that the install is for; null if the install did not begin with a connect link. */
  connection: { org: string; subject: string | null; label: string | null; data: unknown } | null;
  /** The record of an earlier install of the same tenant, even if it was uninstalled; null if there is none. */
  known: InstallRecord | null;
}

/** A gate's answer. The installer reads `reason`, so write it as a sentence for them. */
export type Admission = { admit: true } | { admit: false; reason: string };

/** Decides whether Foyer stores an install that Slack has approved. A gate has three seconds at most. */
export type Gate = (candidate: Candidate) => Admission | Promise<Admission>;

/** Thrown if the gate fails or takes too long. The install is not stored, and the page does not blame the installer. */
export class GateFailedError extends Error {
  override readonly name = 'GateFailedError';
  readonly code: 'gate_failed' | 'gate_timeout';
  constructor(code: GateFailedError['code'], options?: ErrorOptions) {
    super(code === 'gate_timeout' ? 'The gate did not answer in time' : 'The gate failed', options);
    this.code = code;
  }
}

export const gateTimeLimitMs = 3000;
const longestReason = 500;

/**
 * Creates the function that asks the definition's gate. That function throws an InstallRefusedError if the gate
 * refuses, and a GateFailedError if the gate fails or takes too long.
 */
export function createAskGate(deps: {
  gate: Gate;
  clientId: string;
  database: { queries: Queries };
  slack: SlackClientFactory;
}) {
  return async function askGate(
    installation: Installation,
    about: { link: LinkClaims | undefined; url: string | null; limitMs: number },
  ): Promise<void> {
    const work = async (): Promise<Admission> => deps.gate(await candidateOf(installation, about));
    let admission: unknown;
    try {
      admission = await inTime(work(), about.limitMs, () => new GateFailedError('gate_timeout'));
    } catch (cause) {
      throw cause instanceof GateFailedError ? cause : new GateFailedError('gate_failed', { cause });
    }
    const { admit, reason } = (admission ?? {}) as { admit?: unknown; reason?: unknown };
    if (admit === true) return;
    // If the gate returns any value that is not an Admission, the gate has failed, and Foyer stores nothing.
    if (admit !== false || typeof reason !== 'string')
      throw new GateFailedError('gate_failed', {
        cause: new TypeError('The gate must return { admit: true } or { admit: false, reason }'),
      });
    throw new InstallRefusedError('gate_refused', reason.slice(0, longestReason));
  };

  async function candidateOf(
    installation: Installation,
    about: { link: LinkClaims | undefined; url: string | null; limitMs: number },
  ): Promise<Candidate> {
    const { team, enterprise, user, bot, isEnterpriseInstall = false } = installation;
    const { link, url } = about;
    const tenantId = (isEnterpriseInstall ? enterprise?.id : team?.id) ?? '';
    const records = await findInstallRecords(deps.database.queries, deps.clientId, tenantId);
    return {
      team: isEnterpriseInstall || !team ? null : { id: team.id, name: team.name ?? null },
      enterprise: enterprise ? { id: enterprise.id, name: enterprise.name ?? null } : null,
      isEnterpriseInstall,
      installer: {
        id: user.id,
        async isAdmin() {
          // Slack allows only an organization's admins to install an app org-wide. The app cannot look up people yet,
          // since it is in no workspace (docs.slack.dev/enterprise/developing-for-enterprise-orgs).
          if (isEnterpriseInstall) return true;
          if (!bot?.scopes.includes('users:read')) return false;
          const slack = deps.slack(bot.token, { timeoutMs: about.limitMs });
          const { user: person } = await slack.users.info({ user: user.id });
          return person?.is_admin === true || person?.is_owner === true;
        },
      },
      url,
      botScopes: bot?.scopes ?? [],
      userScopes: user.scopes ?? [],
      connection: link
        ? {
            org: link.org,
            subject: link.sub ?? null,
            label: link.label ?? null,
            data: link.data ?? null,
          }
        : null,
      known: records[0] ?? null,
    };
  }
}

export type AskGate = ReturnType<typeof createAskGate>;

const admitted: Admission = { admit: true };

/** A gate that admits only these workspaces. It refuses an org-wide install, which would cover other workspaces too. */
export function allowTeams(
  teamIds: readonly string[],
  reason = 'This app is for certain workspaces only.',
): Gate {
  return ({ team }) => (team && teamIds.includes(team.id) ? admitted : { admit: false, reason });
}

/** A gate that admits only these Grid organizations: their org-wide installs, and installs in their workspaces. */
export function allowEnterprises(
  enterpriseIds: readonly string[],
  reason = 'This app is for certain organizations only.',
): Gate {
  return ({ enterprise }) =>
    enterprise && enterpriseIds.includes(enterprise.id) ? admitted : { admit: false, reason };
}

/** A gate that requires these bot scopes, because an installer may have declined optional ones. */
export function requireScopes(scopes: readonly string[]): Gate {
  return ({ botScopes }) => {
    const missing = scopes.filter((scope) => !botScopes.includes(scope));
    if (missing.length === 0) return admitted;
    return {
      admit: false,
      reason: `This app cannot work without these permissions: ${missing.join(', ')}. Please allow them at Slack.`,
    };
  };
}

/**
 * A gate that admits only installs by admins and owners. Needs the bot scope `users:read`, except for org-wide
 * installs.
 */
export function onlyAdmins(reason = 'Only admins and owners of the workspace may install this app.'): Gate {
  return async ({ installer }) => ((await installer.isAdmin()) ? admitted : { admit: false, reason });
}
