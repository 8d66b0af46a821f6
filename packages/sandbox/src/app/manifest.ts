import { z } from 'zod';

const list = z.array(z.string()).default([]);

/** The parts of a Slack app manifest (v1 and v2, JSON) that the sandbox uses; it ignores the rest. */
const manifestSchema = z.looseObject({
  display_information: z.looseObject({
    name: z.string(),
    description: z.string().default(''),
    long_description: z.string().default(''),
    background_color: z.string().default('#4a154b'),
  }),
  features: z
    .looseObject({
      app_home: z
        .looseObject({
          home_tab_enabled: z.boolean().default(false),
          messages_tab_enabled: z.boolean().default(false),
          messages_tab_read_only_enabled: z.boolean().default(false),
        })
        .prefault({}),
      bot_user: z.looseObject({ display_name: z.string() }).optional(),
    })
    .prefault({}),
  oauth_config: z
    .looseObject({
      redirect_urls: list,
      scopes: z.looseObject({ bot: list, bot_optional: list, user: list, user_optional: list }).prefault({}),
    })
    .prefault({}),
  settings: z
    .looseObject({
      event_subscriptions: z
        .looseObject({ request_url: z.string().optional(), bot_events: list })
        .prefault({}),
      interactivity: z
        .looseObject({ is_enabled: z.boolean().default(false), request_url: z.string().optional() })
        .prefault({}),
      org_deploy_enabled: z.boolean().default(false),
      token_rotation_enabled: z.boolean().default(false),
    })
    .prefault({}),
});

/** Reads a manifest from parsed JSON. If it is not valid, throws an error that lists every problem. */
export function readManifest(manifest: unknown) {
  const parsed = manifestSchema.safeParse(manifest);
  if (!parsed.success) throw new Error(`The app manifest is not valid:\n${z.prettifyError(parsed.error)}`);
  const { display_information: display, features, oauth_config: oauth, settings } = parsed.data;
  const { scopes } = oauth;
  const { interactivity } = settings;
  return {
    name: display.name,
    description: display.description,
    longDescription: display.long_description,
    backgroundColor: display.background_color,
    botName: features.bot_user?.display_name ?? display.name,
    botScopes: [...new Set([...scopes.bot, ...scopes.bot_optional])],
    optionalBotScopes: scopes.bot_optional,
    userScopes: [...new Set([...scopes.user, ...scopes.user_optional])],
    optionalUserScopes: scopes.user_optional,
    redirectUrls: oauth.redirect_urls,
    eventUrl: settings.event_subscriptions.request_url ?? null,
    botEvents: settings.event_subscriptions.bot_events,
    interactivityUrl: interactivity.is_enabled ? (interactivity.request_url ?? null) : null,
    isHomeTabEnabled: features.app_home.home_tab_enabled,
    isMessagesTabEnabled: features.app_home.messages_tab_enabled,
    isMessagesTabReadOnly: features.app_home.messages_tab_read_only_enabled,
    isOrgDeployEnabled: settings.org_deploy_enabled,
    isTokenRotationEnabled: settings.token_rotation_enabled,
  };
}

/** What Slack knows about an app from its manifest. */
export type AppSettings = ReturnType<typeof readManifest>;
