import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { isLoopback, missedPort } from '../../config/environment-schema.ts';
import { type Finding, findingsOf } from './finding.ts';
import { networkReason } from './network-reason.ts';

const timeoutMs = 5000;
const { ok, warning, fault } = findingsOf('public-url');
const health = z.object({ status: z.literal('ok') });

/** Checks that the public URL is https and that Foyer answers there, as seen from this machine with its DNS. */
export async function checkPublicUrl(config: Pick<Config, 'http' | 'slack'>): Promise<Finding> {
  const { baseUrl: publicUrl } = config.http;
  const url = new URL(publicUrl);
  const sandboxed = isLoopback(new URL(config.slack.apiUrl).hostname);
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    const fix =
      'Put a TLS proxy in front of Foyer (or a tunnel while you develop), and set PUBLIC_URL to its https address.';
    return fault(`${publicUrl} is http, and Slack sends people back only to https addresses.`, fix);
  }
  const refusal = await ask(publicUrl);
  if (refusal !== undefined) {
    const missed = missedPort(config.http);
    const fix =
      missed === undefined
        ? 'Start Foyer (npm start). If it runs, check PUBLIC_URL, DNS, the firewall and the certificate, and make sure that the proxy passes requests to Foyer’s port.'
        : `PUBLIC_URL has port ${missed}, but PORT is ${config.http.port}: give both the same port (PORT=${missed}), and start Foyer (npm start).`;
    return fault(`${publicUrl}/healthz ${refusal}.`, fix);
  }
  if (isLoopback(url.hostname) && !sandboxed) {
    const fix =
      'For Slack’s events, use a tunnel or a server that Slack can reach, and set PUBLIC_URL to its https address.';
    return warning(`Foyer answers at ${publicUrl}, which only this machine can reach.`, fix);
  }
  return ok(`Foyer answers at ${publicUrl}.`);
}

/**
 * Resolves to undefined if Foyer answers. Otherwise resolves to what is wrong, such as `is redirected elsewhere`. The
 * finding shows these words after the URL.
 */
async function ask(publicUrl: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${publicUrl}/healthz`, {
      redirect: 'manual',
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await response.text();
    if (response.status >= 300 && response.status < 400) return 'is redirected elsewhere';
    if (response.status !== 200) return `answers with HTTP ${response.status}`;
    return isHealthy(body) ? undefined : 'is answered by something that is not Foyer';
  } catch (error) {
    return networkReason(error);
  }
}

function isHealthy(body: string): boolean {
  try {
    return health.safeParse(JSON.parse(body)).success;
  } catch {
    return false;
  }
}
