/** What a scope lets an app do, in the words a consent page would use. */
const scopeWords: Record<string, string> = {
  'app_mentions:read': 'View messages that directly mention the app in conversations it is in',
  'channels:history': 'View messages in public channels it has been added to',
  'channels:join': 'Join public channels in the workspace',
  'channels:read': 'View basic information about public channels in the workspace',
  'chat:write': 'Send messages as the app',
  'chat:write.customize': 'Send messages with a customized name and picture',
  'chat:write.public': 'Send messages to channels it is not a member of',
  commands: 'Add shortcuts and slash commands that people can use',
  'emoji:read': 'View custom emoji in the workspace',
  'files:read': 'View files shared in conversations it has been added to',
  'files:write': 'Upload, edit and delete files as the app',
  'groups:history': 'View messages in private channels it has been added to',
  'groups:read': 'View basic information about private channels it has been added to',
  'im:history': 'View messages in direct messages with the app',
  'im:read': 'View basic information about direct messages with the app',
  'im:write': 'Start direct messages with people',
  'incoming-webhook': 'Post messages to one channel of your choice',
  'metadata.message:read': 'View metadata in messages of conversations it has been added to',
  'mpim:history': 'View messages in group direct messages it has been added to',
  'mpim:read': 'View basic information about group direct messages it has been added to',
  'reactions:read': 'View emoji reactions in conversations it has been added to',
  'reactions:write': 'Add and edit emoji reactions',
  'team:read': 'View the name, email domain and icon of the workspace',
  'users.profile:read': 'View profile details of people in the workspace',
  'users:read': 'View people in the workspace',
  'users:read.email': 'View email addresses of people in the workspace',
  'users:write': 'Set its own presence',
};

/** A scope in words. For an unknown scope, the words contain its name. */
export function scopeInWords(scope: string): string {
  return scopeWords[scope] ?? `Use the permission ${scope}`;
}

/** Splits a URL's list of scopes at commas and spaces. Keeps the order, and drops duplicates. */
export function splitScopes(text: string | null | undefined): string[] {
  return [...new Set((text ?? '').split(/[\s,]+/).filter(Boolean))];
}
