import type { Brand } from '../http/brand.ts';
import { createSite } from '../http/pages/site.ts';
import type { Keyring } from '../installations/keyring.ts';
import { createSealer } from '../installations/sealer.ts';
import { createSessions, operatorTimes } from '../signin/sessions.ts';
import type { Texts } from '../texts/create-texts.ts';
import { createOperatorPages, type OperatorPagesDeps } from './pages/create-operator-pages.ts';

/** Creates the operators' pages and sessions. Returns the sessions too: Sign in with Slack begins some of them. */
export function assembleOperators(
  deps: Omit<OperatorPagesDeps, 'sessions' | 'sealer' | 'site' | 'words'> & {
    keyring: Keyring;
    brand: Brand;
    texts: Texts;
  },
) {
  const { config, database, keyring, brand, texts, now } = deps;
  const { publicUrl, secure } = config.http;
  const sealer = createSealer({ keyring, purpose: 'operator-session' });
  const sessions = createSessions({
    kind: 'operator',
    clientId: config.slack.clientId,
    cookieName: 'foyer-operator',
    times: operatorTimes,
    sealer,
    database,
    secure,
    now,
  });
  // Creates the site without the base path, because the operator pages add the base path to each link themselves.
  const site = createSite(brand, { publicUrl });
  const pages = createOperatorPages({ ...deps, sessions, sealer, site, words: texts.forLocale('en') });
  return { sessions, pages };
}
