import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Settings } from './settings.ts';

/**
 * The variables that `setup` writes. It creates an encryption key only if there is none: a second one, or one that
 * replaces a key file in use, would lock what is stored. Each key gets a unique id, so that a lost key is reported as
 * missing and not as wrong.
 */
export function setupVariables(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): { variables: Record<string, string>; newKeyId: string | null } {
  const variables: Record<string, string> = {
    PUBLIC_URL: settings.publicUrl,
    SLACK_CLIENT_ID: settings.clientId,
    SLACK_CLIENT_SECRET: settings.clientSecret,
    SLACK_SIGNING_SECRET: settings.signingSecret,
    ...settings.links,
  };
  if (settings.production) variables.NODE_ENV = 'production';
  if (environment.TOKEN_ENCRYPTION_KEYS?.trim() || existsSync(keyFileOf(environment, folder))) {
    return { variables, newKeyId: null };
  }
  const newKeyId = `main-${randomBytes(3).toString('hex')}`;
  variables.TOKEN_ENCRYPTION_KEYS = `${newKeyId}:${randomBytes(32).toString('base64')}`;
  return { variables, newKeyId };
}

function keyFileOf(environment: Readonly<Record<string, string | undefined>>, folder: string): string {
  const url = environment.DATABASE_URL?.trim() || 'file:./data/foyer.db';
  const path = url.replace(/^file:/, '').replace(/^\/\/(?=\/)/, '');
  return `${isAbsolute(path) ? path : join(folder, path)}.key`;
}
