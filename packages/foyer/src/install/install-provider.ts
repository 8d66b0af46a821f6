import { type Installation, InstallProvider, type InstallURLOptions } from '@slack/oauth';
import type { WebClientOptions } from '@slack/web-api';
import type { Config } from '../config/config.ts';
import { type Logger, slackLogger } from '../config/log.ts';

/**
 * Why a provider for each callback: `InstallProvider` knows neither who is calling nor what was issued, so what belongs
 * to one callback (its time limit, its tokens, its state) is bound to a provider of its own. It costs about 0.1 ms.
 */

/** The cookie in which the provider looks for the state. It never reaches a browser: see `finish-install.ts`. */
export const providerCookieName = 'foyer-provider-state';

/** What one callback brings to its provider. */
export interface CallbackParts {
  clientOptions: WebClientOptions;
  /** Uses the state up. @throws when it was used before */
  consumeState(): Promise<void>;
  store(installation: Installation): Promise<void>;
}

/** What is asked of Slack: said alike when the flow starts and when the code is exchanged. */
export function installOptions(config: Pick<Config, 'slack' | 'http'>): InstallURLOptions {
  const { botScopes, userScopes } = config.slack;
  return {
    scopes: [...botScopes],
    userScopes: userScopes.length > 0 ? [...userScopes] : undefined,
    redirectUri: `${config.http.baseUrl}/slack/oauth_redirect`,
  };
}

/** Makes Slack's provider, with our stores in the place of its own; without `parts` it only builds install URLs. */
export function createInstallProvider(
  deps: { config: Pick<Config, 'slack' | 'http'>; log: Logger },
  parts?: CallbackParts,
): InstallProvider {
  const { slack } = deps.config;
  const notHere = (): Promise<never> => Promise.reject(new Error('this provider serves a callback alone'));
  return new InstallProvider({
    clientId: slack.clientId,
    clientSecret: slack.clientSecret,
    authorizationUrl: slack.authorizationUrl,
    stateCookieName: providerCookieName,
    clientOptions: parts?.clientOptions,
    // What it calls an error comes to the callback's failure too, and is logged there, with the request's id.
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
