import { app } from './load/signed-events.ts';
import { encryptionKeys } from './seed/bench-keyring.ts';

/**
 * The environment of a Foyer in production. It calls the null Slack at `slackUrl`; without `slackUrl`, its calls to
 * Slack fail.
 */
export function foyerEnvironment(options: { database: string; slackUrl?: string }): Record<string, string> {
  const slackUrl = options.slackUrl ?? 'http://127.0.0.1:9';
  return {
    SLACK_CLIENT_ID: app.clientId,
    SLACK_CLIENT_SECRET: app.clientSecret,
    SLACK_SIGNING_SECRET: app.signingSecret,
    SLACK_AUTHORIZATION_URL: `${slackUrl}/oauth/v2/authorize`,
    SLACK_API_URL: `${slackUrl}/api/`,
    PUBLIC_URL: 'http://127.0.0.1:3000',
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: options.database,
    TOKEN_ENCRYPTION_KEYS: encryptionKeys,
    NODE_ENV: 'production',
  };
}
