import { type Installation, InstallProvider, type InstallURLOptions } from '@slack/oauth';
import type { WebClientOptions } from '@slack/web-api';
import type { Config } from '../config/config.ts';
import { type Logger, slackLogger } from '../config/log.ts';

/**
 * Why each callback gets a new provider: `InstallProvider` does not tell its stores which callback they serve. So Foyer
 * creates a provider for each callback, with that callback's time limit, tokens and state. This takes about 0.1 ms.
 */

/** The cookie in which the provider looks for the state. It is never sent to a browser: see `finish-install.ts`. */
export const providerCookieName = 'foyer-provider-state';

/** What a provider needs for its callback. */
interface CallbackParts {
  clientOptions: WebClientOptions;
  /** Marks the state as used. @throws if it was used before */
  consumeState(): Promise<void>;
  store(installation: Installation): Promise<void>;
}

/** What Foyer requests from Slack. It is the same at the start of the flow and at the code exchange. */
export function installOptions(config: Pick<Config, 'slack' | 'http'>): InstallURLOptions {
  const { botScopes, userScopes } = config.slack;
  return {
    scopes: [...botScopes],
    userScopes: userScopes.length > 0 ? [...userScopes] : undefined,
    redirectUri: `${config.http.baseUrl}/slack/oauth_redirect`,
  };
}

/** What Foyer requests from Slack when a member connects their account: only user scopes. */
export function memberOptions(config: Pick<Config, 'slack' | 'http'>): InstallURLOptions {
  const { memberScopes } = config.slack;
  return { ...installOptions(config), scopes: [], userScopes: [...memberScopes] };
}

/** Makes Slack's provider with Foyer's stores. Without `parts`, the provider can only build install URLs. */
export function createInstallProvider(
  deps: { config: Pick<Config, 'slack' | 'http'>; log: Logger },
  parts?: CallbackParts,
): InstallProvider {
  const { slack } = deps.config;
  const notHere = (): Promise<never> =>
    Promise.reject(new Error('Foyer does not use this method of Slack’s provider'));
  return new InstallProvider({
    clientId: slack.clientId,
    clientSecret: slack.clientSecret,
    authorizationUrl: slack.authorizationUrl,
    stateCookieName: providerCookieName,
    clientOptions: parts?.clientOptions,
    // Drops the provider's errors: the callback's failure handler receives them too, and logs them with the request's
    // id.
    logger: { ...slackLogger(deps.log, 'oauth'), error() {} },
    stateStore: {
      generateStateParam: notHere,
      async verifyStateParam() {
        if (!parts) return notHere();
        await parts.consumeState();
        return installOptions(deps.config);
      },
    },
    installationStore: {
      storeInstallation: (installation: Installation) => (parts ? parts.store(installation) : notHere()),
      fetchInstallation: notHere,
    },
  });
}
