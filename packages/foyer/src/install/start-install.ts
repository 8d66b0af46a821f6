import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import { createInstallProvider, installOptions } from './install-provider.ts';
import type { States } from './state.ts';

/**
 * Makes the handler of `GET /slack/install`: a redirect to Slack's consent page with a fresh state (Slack's listing
 * check wants a redirect there, not a page). It writes nothing but headers.
 *
 * Why not `InstallProvider.handleInstallPath`: it leaves the response open when it fails, and its cookie has one fixed
 * name, so that a second tab breaks the first.
 */
export function createStartInstall(deps: {
  config: Pick<Config, 'slack' | 'http'>;
  states: States;
  log: Logger;
}): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const provider = createInstallProvider(deps);
  return async function startInstall(req, res) {
    const asked = new URL(req.url ?? '/', 'http://localhost').searchParams.get('team') ?? '';
    // Anything that is no team's id is left out, and Slack asks for the workspace itself.
    const teamId = /^[TE][A-Z0-9]{1,30}$/.test(asked) ? asked : undefined;
    const { state, cookies } = deps.states.issue({ teamId, cookieHeader: req.headers.cookie });
    const location = await provider.generateInstallUrl(
      { ...installOptions(deps.config), teamId },
      true,
      state,
    );
    const headers = { 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' };
    res.writeHead(302, { Location: location, 'Set-Cookie': cookies, ...headers }).end();
  };
}
