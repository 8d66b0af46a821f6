/**
 * The Web API methods with their own label in the metrics: those that Foyer calls, and those that listeners often call.
 */
export const knownSlackMethods: readonly string[] = [
  'apps.uninstall',
  'apps.user.connection.update',
  'auth.revoke',
  'auth.test',
  'bots.info',
  'chat.delete',
  'chat.postEphemeral',
  'chat.postMessage',
  'chat.update',
  'conversations.history',
  'conversations.info',
  'conversations.join',
  'conversations.list',
  'conversations.members',
  'conversations.open',
  'conversations.replies',
  'files.completeUploadExternal',
  'files.getUploadURLExternal',
  'oauth.v2.access',
  'reactions.add',
  'team.info',
  'users.info',
  'users.list',
  'users.lookupByEmail',
  'users.profile.get',
  'views.open',
  'views.publish',
  'views.push',
  'views.update',
];

/** The types of Slack's events and interactions that have their own label in the metrics. */
export const knownEventTypes: readonly string[] = [
  'app_home_opened',
  'app_mention',
  'app_rate_limited',
  'app_uninstalled',
  'block_actions',
  'block_suggestion',
  'channel_created',
  'command',
  'grid_migration_finished',
  'grid_migration_started',
  'link_shared',
  'member_joined_channel',
  'message',
  'message_action',
  'reaction_added',
  'shortcut',
  'team_access_granted',
  'team_access_revoked',
  'team_domain_change',
  'team_join',
  'team_rename',
  'tokens_revoked',
  'user_change',
  'user_connection',
  'view_closed',
  'view_submission',
];

/** How an OAuth attempt can end; `create-metrics.ts` explains the outcomes. */
export const installOutcomes = [
  'installed',
  'cancelled',
  'refused',
  'unverified',
  'failed',
  'interrupted',
] as const;

/** How a sign-in can end; `sign-in.ts` explains the outcomes. */
export const signInOutcomes = ['signed_in', 'cancelled', 'refused', 'unverified', 'failed'] as const;

/** The statuses that a step can have after an attempt. */
export const stepEnds = ['succeeded', 'failed', 'skipped', 'unconfirmed', 'retrying', 'pending'] as const;

/** How an attempt to notify the operators can end. */
export const noticeEnds = ['sent', 'failed', 'unconfirmed', 'pending'] as const;

/** The possible results of a call to Slack. */
export const slackResults = ['ok', 'error', 'rate_limited', 'http_error', 'unreachable'] as const;

/**
 * The statuses of Foyer's answers to requests that Slack signed. 0: Slack hung up first. Any other status counts as
 * `other`.
 */
export const eventStatuses: readonly string[] = ['0', '200', '500', '503', 'other'];

/** The statuses of Foyer's answers to requests that Slack did not sign or that Foyer could not read. */
export const unverifiedStatuses: readonly string[] = ['0', '400', '401', '408', '413', '500', '503', 'other'];

/** The classes of HTTP statuses. 0: the client hung up before the answer began. */
export const httpStatuses = ['0', '2xx', '3xx', '4xx', '5xx'] as const;

/** The routes with their own label. They contain no tokens or ids from a URL. */
export const routeNames = [
  '/',
  '/brand/logo',
  '/slack/install',
  '/slack/oauth_redirect',
  '/slack/events',
  '/slack/signin',
  '/slack/signout',
  '/installs',
  '/operator',
  '/metrics',
  '/healthz',
  '/readyz',
  'other',
] as const;
