import { createHash } from 'node:crypto';

/** The page that a progress token leads to. */
export function progressPath({ basePath }: { basePath: string }, progressToken: string): string {
  return `${basePath}/installs/${progressToken}`;
}

/** The hash of a progress token, as the database stores it: someone who reads the database cannot open the page. */
export function progressHash(progressToken: string): string {
  return createHash('sha256').update(progressToken).digest('base64url');
}
