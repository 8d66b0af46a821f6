/**
 * What a scope lets the app do, in the installer's words. A clone that asks for a new scope adds its sentence here;
 * one without a sentence is shown by its name.
 */
const sentences: Readonly<Record<string, string>> = {
  'app_mentions:read': 'See messages that mention the app',
  'channels:history': 'Read messages in public channels that the app was added to',
  'channels:read': 'See the names of public channels',
  'chat:write': 'Send messages as the app',
  'chat:write.public': 'Send messages to public channels that it has not joined',
  commands: 'Add slash commands and shortcuts',
  'files:read': 'See files shared in conversations that the app was added to',
  'files:write': 'Upload files as the app',
  'groups:read': 'See the names of private channels that the app was added to',
  'im:history': 'Read its own direct messages, to be sure that it greets you only once',
  'im:read': 'See which direct messages it has',
  'im:write': 'Start a direct message with you',
  'incoming-webhook': 'Post to one channel that you choose',
  'reactions:read': 'See emoji reactions',
  'reactions:write': 'Add emoji reactions',
  'team:read': 'See your workspace’s name, address and icon',
  'users.profile:read': 'See profile details of people in the workspace',
  'users:read': 'See names, pictures and time zones of people in the workspace',
  'users:read.email': 'See the email addresses of people in the workspace',
};

/** One plain sentence on what a scope allows (no full stop); the scope's own name where there is none. */
export function scopeSentence(scope: string): string {
  return (Object.hasOwn(sentences, scope) && sentences[scope]) || scope;
}
