/** The sandbox's records, named with Slack's words. Times are in milliseconds unless a name says otherwise. */

export type Enterprise = { id: string; name: string; domain: string };

export type Workspace = {
  id: string;
  name: string;
  domain: string;
  /** The Grid org it belongs to; null for a standalone workspace. */
  enterpriseId: string | null;
  /** Whether members and guests must ask the admins before an app is installed. */
  requiresApproval: boolean;
  locale: string;
  color: string;
};

export type Role = 'owner' | 'admin' | 'member' | 'guest';

export type Person = {
  id: string;
  /** The short name, as in `@grace`. */
  name: string;
  realName: string;
  email: string;
  title: string;
  timeZone: string;
  timeZoneLabel: string;
  locale: string;
  color: string;
  /** The role in each workspace the person belongs to, by workspace id. */
  roles: Record<string, Role>;
  /** Whether the person may install apps for the whole Grid org. */
  isOrgAdmin: boolean;
  /** Whether an admin has deactivated the account: Slack calls it `deleted`. */
  isDeactivated: boolean;
};

/** Where something belongs: a workspace, or a whole Grid org when `teamId` is null. */
export type Place = { teamId: string | null; enterpriseId: string | null };

export type Installation = Place & {
  id: string;
  isEnterpriseInstall: boolean;
  botUserId: string;
  botId: string;
  botScopes: string[];
  installerUserId: string;
  installedAt: number;
  /** Null while installed. */
  uninstalledAt: number | null;
  /** Only for an org-wide install: the workspaces to which the org's admins gave the app access. */
  grantedTeamIds: string[];
};

export type Token = {
  value: string;
  kind: 'bot' | 'user';
  installationId: string;
  /** The bot user, or the person who authorized. */
  userId: string;
  scopes: string[];
  issuedAt: number;
  /** `expiresAt` and `refreshToken` are null for a token that does not rotate. */
  expiresAt: number | null;
  refreshToken: string | null;
  status: 'live' | 'revoked' | 'uninstalled';
};

export type AuthorizationCode = {
  value: string;
  place: Place;
  isEnterpriseInstall: boolean;
  userId: string;
  botScopes: string[];
  userScopes: string[];
  /** From the authorize URL; null if it had none. */
  redirectUri: string | null;
  expiresAt: number;
  isUsed: boolean;
};

/** A code of Sign in with Slack. */
export type SignInCode = {
  userId: string;
  teamId: string;
  scopes: string[];
  redirectUri: string;
  /** From the authorize URL; null if it had none. */
  nonce: string | null;
  codeChallenge: string | null;
  expiresAt: number;
  isUsed: boolean;
};

/** An access token of Sign in with Slack: it belongs to a person, and to no installation. */
export type SignInToken = { value: string; userId: string; teamId: string; scopes: string[] };

export type Block = Record<string, unknown> & { type: string };

export type MessageMetadata = { event_type: string; event_payload: Record<string, unknown> };

export type Message = {
  ts: string;
  userId: string;
  /** The bot that wrote the message; null for a person's message. */
  botId: string | null;
  appId: string | null;
  text: string;
  blocks: Block[] | null;
  attachments: unknown[] | null;
  metadata: MessageMetadata | null;
  threadTs: string | null;
  editedTs: string | null;
};

export type Conversation = {
  id: string;
  kind: 'im' | 'channel';
  teamId: string;
  /** Null for a DM. */
  name: string | null;
  createdAt: number;
  /** People and bot users. */
  memberIds: string[];
  messages: Message[];
};

/** A view as Slack stores and returns it. */
export type View = Record<string, unknown> & {
  id: string;
  team_id: string;
  type: 'home' | 'modal';
  blocks: Block[];
  hash: string;
  private_metadata: string;
  callback_id: string;
};

export type Trigger = { id: string; userId: string; teamId: string; expiresAt: number; isUsed: boolean };

/** The target of a response_url: a message that may be answered five times in thirty minutes. */
export type ResponseUrl = {
  key: string;
  conversationId: string;
  messageTs: string;
  installationId: string;
  expiresAt: number;
  usesLeft: number;
};

export type IncomingWebhook = { key: string; installationId: string; conversationId: string };

export type ApprovalRequest = { teamId: string; userId: string; at: number; isApproved: boolean };
