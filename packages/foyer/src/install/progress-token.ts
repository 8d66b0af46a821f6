import { createHash } from 'node:crypto';

/** The page that a progress token leads to. */
export function progressPath({ basePath }: { basePath: string }, progressToken: string): string {
  return `${basePath}/installs/${progressToken}`;
}

/** What the database keeps of a progress token: whoever reads the database cannot open the page. */
export function progressHash(progressToken: string): string {
  return createHash('sha256').update(progressToken).digest('base64url');
}
