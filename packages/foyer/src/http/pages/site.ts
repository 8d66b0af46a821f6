/** What every page says about the app and who runs it. */
export interface Site {
  appName: string;
  privacyUrl?: string;
  supportUrl?: string;
}

/** What every page needs besides its own data. */
export interface PageFrame {
  site: Site;
  /** The request's own nonce, the same as in its Content-Security-Policy. */
  nonce: string;
}
