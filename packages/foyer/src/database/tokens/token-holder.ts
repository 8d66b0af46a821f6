/** Whose tokens are meant: the bot's of an installation, or with `userId` that person's. */
export interface TokenHolder {
  installationId: string;
  userId?: string;
}
