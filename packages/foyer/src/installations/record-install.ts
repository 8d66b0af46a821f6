import type { Installation } from '@slack/oauth';
import type { Logger } from '../config/log.ts';
import type { Database, Tx } from '../database/database.ts';
import { appendHistory } from '../database/history.ts';
import { registeredTeamId } from '../database/install-record.ts';
import { finishInstallRequest } from '../database/install-requests.ts';
import { saveUserToken } from '../database/installation-tokens.ts';
import {
  addInstallation,
  lockInstallation,
  type NewState,
  saveInstallation,
} from '../database/installations.ts';
import { newId } from '../database/new-id.ts';
import { recordUser } from '../database/people/people.ts';
import type { InstallationRow } from '../database/records.ts';
import { cancelRuns, createRun } from '../database/runs.ts';
import { scopesIn, visibleText } from '../slack/slack-text.ts';
import {
  AppNotInstalledError,
  type RecordedInstall,
  type RecordInstallOptions,
  TenantUnclearError,
  tenantOfInstallation,
} from './installation-store.ts';
import { addedScopes, type MomentStepNames, startEarlyGrants, startMoment } from './moments.ts';
import type { TokenCipher } from './open-installation.ts';

/** What the store's operations share. */
export interface StoreContext {
  readonly database: Database;
  readonly cipher: TokenCipher;
  /** The client id of the Slack app. The store never returns installations of other apps in the same database. */
  readonly clientId: string;
  /** The steps of the install pipeline, in order. */
  readonly stepNames: readonly string[];
  /** The steps of the uninstall pipeline, in order; if there are none, no run is created. */
  readonly uninstallStepNames?: readonly string[];
  /** The steps of each moment's pipeline, in order; if there are none, no run is created. */
  readonly momentStepNames?: MomentStepNames;
  /** In milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Converts an expiry from seconds, as Slack sends it, to whole milliseconds. A missing or invalid expiry becomes null.
 */
export function expiryMs(expiresAt: number | undefined | null): number | null {
  const expiry = Math.round(Number(expiresAt ?? Number.NaN) * 1000);
  return Number.isSafeInteger(expiry) ? expiry : null;
}

/** What one OAuth attempt granted. */
type Grant = Pick<RecordInstallOptions, 'installRequestId' | 'leavesTokens' | 'issuedAt'> & {
  installation: Installation;
};

/**
 * Writes an install in one transaction: the installation, its user's token, its history and its run (invariant 1). If
 * the tenant already has an installation, the install is added to that record.
 */
export async function recordInstall(
  transaction: Tx,
  context: StoreContext,
  install: Grant,
): Promise<RecordedInstall> {
  const { installation } = install;
  const { known, row, kind, now } = await saveRow(transaction, context, install);
  const { id: installationId, life } = row;
  const { user } = installation;
  await storeUserToken(transaction, context, { installationId, user, grantedAt: install.issuedAt ?? now });
  const { stepNames } = context;
  const runId = await createRun(transaction, { installationId, life, userId: user.id, stepNames, now });
  if (known) {
    await cancelRuns(transaction, {
      installationId,
      // An install cancels every other unfinished install run. A person's authorization cancels only runs of that
      // person.
      userId: kind === 'user_authorized' ? user.id : undefined,
      replacedBy: runId,
      reason: kind === 'user_authorized' ? 'authorized again' : 'installed again',
      now,
    });
  }
  await appendHistory(transaction, { installationId, at: now, kind, userId: user.id, detail: null });
  await finishRequest(transaction, install, { installationId, runId, now });
  const isNewLife = known !== undefined && known.life !== life;
  const start = { row, userId: user.id, now };
  const added = known ? addedScopes(known, row) : [];
  if (added.length > 0) {
    await startMoment(transaction, context, { ...start, moment: { kind: 'upgraded', addedScopes: added } });
  }
  if ((!known || isNewLife) && row.is_enterprise_install === 1) {
    await startEarlyGrants(transaction, context, start);
  }
  return { installationId, life, runId, kind, created: known === undefined, isNewLife };
}

/**
 * Writes a member's user token in a transaction, and registers the member. The installation, its runs and all other
 * tokens do not change. @throws AppNotInstalledError
 */
export async function recordMember(
  transaction: Tx,
  context: StoreContext,
  grant: Grant,
): Promise<{ installationId: string }> {
  const { installation } = grant;
  const { user, enterprise } = installation;
  if (installation.bot || !user.token) throw new Error('a member’s grant contains a bot, or no user token');
  const { clientId } = context;
  const own = tenantOfInstallation(installation);
  // Looks first for an installation of the workspace, then for an org-wide install of its organization.
  const tenants = enterprise ? [own, `enterprise:${enterprise.id}`] : [own];
  for (const tenant of new Set(tenants)) {
    const row = await lockInstallation(transaction, { clientId, tenant });
    if (!row || row.status === 'uninstalled') continue;
    const now = context.now();
    const { id: installationId } = row;
    await storeUserToken(transaction, context, { installationId, user, grantedAt: grant.issuedAt ?? now });
    const teamId = registeredTeamId({ teamId: row.team_id, enterpriseId: row.enterprise_id });
    await recordUser(transaction, { clientId, teamId, userId: user.id, seenAt: now, now, provenAt: 0 });
    const kind = 'user_authorized';
    await appendHistory(transaction, { installationId, at: now, kind, userId: user.id, detail: null });
    await finishRequest(transaction, grant, { installationId, runId: null, now });
    return { installationId };
  }
  throw new AppNotInstalledError(`The app is not installed in ${own}.`);
}

async function storeUserToken(
  transaction: Tx,
  { cipher }: StoreContext,
  grant: { installationId: string; user: Installation['user']; grantedAt: number },
): Promise<void> {
  const { installationId, user, grantedAt } = grant;
  if (!user.token) return;
  await saveUserToken(transaction, {
    installationId,
    userId: user.id,
    sealedUser: cipher.sealUser(installationId, user),
    expiresAt: expiryMs(user.expiresAt),
    // The time by Slack's clock, if known: Foyer later compares the time of a revocation with it.
    now: grantedAt,
  });
}

async function finishRequest(
  transaction: Tx,
  { installation, installRequestId, leavesTokens }: Grant,
  outcome: { installationId: string; runId: string | null; now: number },
): Promise<void> {
  if (installRequestId === undefined) return;
  const { team, enterprise, user } = installation;
  await finishInstallRequest(transaction, {
    id: installRequestId,
    teamId: team?.id ?? null,
    teamName: team?.name ?? null,
    enterpriseId: enterprise?.id ?? null,
    userId: user.id,
    leavesTokens,
    ...outcome,
  });
}

/**
 * Writes the installation's row. `known` is the previous row; undefined if there was none. `now` is the time of the
 * install: this function first locks the row and then reads the clock, so that later writes have later times.
 */
async function saveRow(
  transaction: Tx,
  context: StoreContext,
  install: Grant,
): Promise<{
  known: InstallationRow | undefined;
  row: NewState;
  kind: RecordedInstall['kind'];
  now: number;
}> {
  const { installation } = install;
  const tenant = tenantOfInstallation(installation);
  const known = await lockInstallation(transaction, { clientId: context.clientId, tenant });
  const now = context.now();
  // An installation without a bot becomes broken when its people's tokens are revoked or lost. If a person then
  // authorizes the app, this counts as a reinstall, and the installation is active again.
  const isGone =
    known?.status === 'uninstalled' || (known?.status === 'broken' && known.bot_user_id === null);
  const onlyUser = !installation.bot && !isGone;
  const kind = !known ? 'installed' : onlyUser ? 'user_authorized' : 'reinstalled';
  // A person's authorization changes neither the bot nor its webhook nor the installer.
  if (known && kind === 'user_authorized') return { known, row: known, kind, now };
  const row = nextRow(known, tenant, context, { ...install, now });
  if (known) await saveInstallation(transaction, row);
  // If the row cannot be added, another first install of this tenant was committed at the same time. The second call of
  // `saveRow` finds the row of that install.
  else if (!(await addInstallation(transaction, row))) return saveRow(transaction, context, install);
  return { known, row, kind, now };
}

/** Returns the row after an install. Its id, life and version follow from the previous row; everything else is new. */
function nextRow(
  known: InstallationRow | undefined,
  tenant: string,
  context: StoreContext,
  install: Grant & { now: number },
): NewState {
  const { user, ...botHalf } = install.installation;
  const { team, enterprise, bot } = botHalf;
  const id = known?.id ?? newId('ins');
  return {
    id,
    client_id: context.clientId,
    tenant,
    team_id: team?.id ?? null,
    team_name: team?.name ?? null,
    enterprise_id: enterprise?.id ?? null,
    enterprise_name: enterprise?.name ?? null,
    is_enterprise_install: botHalf.isEnterpriseInstall ? 1 : 0,
    app_id: botHalf.appId ?? null,
    status: 'active',
    broken_reason: null,
    life: (known?.life ?? 1) + (known?.status === 'uninstalled' ? 1 : 0),
    version: (known?.version ?? 0) + 1,
    installer_user_id: user.id,
    installed_at: install.now,
    slack_installed_at: install.issuedAt ?? null,
    uninstalled_at: null,
    bot_user_id: bot?.userId ?? null,
    bot_scopes: bot ? JSON.stringify(bot.scopes) : null,
    bot_expires_at: expiryMs(bot?.expiresAt),
    sealed_bot: context.cipher.sealBot(id, botHalf),
  };
}

/**
 * Prepares an installation for storage. Turns its scopes into a list, and removes from its names what is invisible or
 * cannot be stored. Drops a bot without a token. Drops the team of an org-wide installation: Slack's answer may name
 * one (python-slack-sdk #1639).
 * @throws TenantUnclearError, TypeError if there is no token
 */
export function cleanInstallation(given: Installation): Installation {
  if (!given?.user) throw new TenantUnclearError('The installation has no user.');
  const { team, enterprise, user, isEnterpriseInstall } = given;
  const bot = hasToken(given.bot) ? given.bot : undefined;
  if (!bot && !hasToken(user)) {
    throw new TypeError(
      'The installation has no token: set bot.token or user.token, from Slack’s answer to oauth.v2.access.',
    );
  }
  const isOrgWide = isEnterpriseInstall === true && enterprise?.id !== undefined;
  // In Slack's type, `isEnterpriseInstall` decides which of `team` and `enterprise` is set. TypeScript cannot check
  // that here.
  return {
    ...given,
    team: isOrgWide || !team ? undefined : named(team),
    enterprise: enterprise && named(enterprise),
    bot: bot && { ...bot, scopes: scopesIn(bot.scopes) },
    user: { ...user, scopes: user.scopes && scopesIn(user.scopes) },
  } as Installation;
}

const hasToken = (half: { token?: unknown } | undefined): boolean =>
  typeof half?.token === 'string' && half.token !== '';

function named<Place extends { name?: string }>(place: Place): Place {
  const { name, ...others } = place;
  const visible = visibleText(name);
  return (visible === null ? others : { ...others, name: visible }) as Place;
}
