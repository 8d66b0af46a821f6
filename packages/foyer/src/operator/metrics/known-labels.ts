/** The Web API methods that have a name of their own in the metrics: ours, and those that a listener often calls. */
export const knownSlackMethods: readonly string[] = [
  'apps.uninstall',
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

/** What Slack sends that has a name of its own in the metrics: event types, and the types of interactions. */
export const knownEventTypes: readonly string[] = [
  'app_home_opened',
  'app_mention',
  'app_uninstalled',
  'block_actions',
  'block_suggestion',
  'channel_created',
  'command',
  'link_shared',
  'member_joined_channel',
  'message',
  'message_action',
  'reaction_added',
  'shortcut',
  'team_access_granted',
  'team_access_revoked',
  'team_join',
  'tokens_revoked',
  'unverified',
  'user_change',
  'view_closed',
  'view_submission',
];

/** A value as a label: itself where it is known, else `other`. */
export function labelOf(known: readonly string[], value: string): string {
  return known.includes(value) ? value : 'other';
}
