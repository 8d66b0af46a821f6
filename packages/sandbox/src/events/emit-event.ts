import { slackId } from '../ids.ts';
import type { Platform } from '../platform.ts';
import type { Installation } from '../world/records.ts';
import type { Delivery, Parcel } from './delivery.ts';

/** An inner event, as Slack puts it into the envelope's `event`. */
export type InnerEvent = Record<string, unknown> & { type: string };

/**
 * Where an event happened. If `teamId` is null, so is `team_id` in the envelope. If it is undefined, the envelope has
 * no `team_id`.
 */
export type EventPlace = { teamId?: string | null; enterpriseId?: string | null };

export type EmitOptions = {
  place: EventPlace;
  /** The installation for which Slack sends the event. Without one, the envelope has no `authorizations`. */
  installation?: Installation;
  /** In seconds. By default, the sandbox's time. */
  eventTimeSeconds?: number;
  eventId?: string;
  signature?: Parcel['signature'];
  timestampSeconds?: number;
  /** Whether to send the event even if the manifest does not subscribe to it, or the app is suspended. */
  isForced?: boolean;
};

/** For a message, the subscription's name contains the kind of conversation, such as `message.im`. */
function subscriptionName(event: InnerEvent): string {
  return event.type === 'message' ? `message.${String(event.channel_type)}` : event.type;
}

/**
 * The payload around an event. Source: docs.slack.dev/apis/events-api. `app_uninstalled`, `tokens_revoked` and
 * `team_access_*` come without `authorizations`. If the install is org-wide, these events have `enterprise_id`. In
 * `team_access_*`, `team_id` is then null; the other two have no `team_id`.
 */
export function eventEnvelope(
  platform: Platform,
  event: InnerEvent,
  options: EmitOptions,
): Record<string, unknown> {
  const { app, clock } = platform;
  const { teamId, enterpriseId } = options.place;
  const { installation } = options;
  return {
    token: app.verificationToken,
    ...(teamId === undefined ? {} : { team_id: teamId }),
    ...(enterpriseId ? { enterprise_id: enterpriseId } : {}),
    ...(installation ? { context_team_id: teamId ?? null, context_enterprise_id: enterpriseId ?? null } : {}),
    api_app_id: app.id,
    event,
    type: 'event_callback',
    event_id: options.eventId ?? slackId('Ev'),
    event_time: options.eventTimeSeconds ?? Math.floor(clock.now() / 1000),
    ...(installation
      ? { authorizations: [authorizationOf(installation)], is_ext_shared_channel: false }
      : {}),
  };
}

function authorizationOf(installation: Installation) {
  return {
    enterprise_id: installation.enterpriseId,
    team_id: installation.isEnterpriseInstall ? null : installation.teamId,
    user_id: installation.botUserId,
    is_bot: true,
    is_enterprise_install: installation.isEnterpriseInstall,
  };
}

/**
 * Sends an event if the app has an event URL, subscribes to the event and is not suspended. With `isForced`, an event
 * URL is enough. Returns the delivery after the first attempt, or null if no event is sent.
 */
export async function emitEvent(
  platform: Platform,
  event: InnerEvent,
  options: EmitOptions,
): Promise<Delivery | null> {
  const { settings, isSuspended } = platform.app;
  if (!settings.eventUrl) return null;
  if (isSuspended && !options.isForced) return null;
  if (!options.isForced && !settings.botEvents.includes(subscriptionName(event))) return null;
  const envelope = eventEnvelope(platform, event, options);
  return platform.deliveries.send({
    kind: 'event',
    type: event.type,
    eventId: String(envelope.event_id),
    teamId: options.place.teamId ?? null,
    enterpriseId: options.place.enterpriseId ?? null,
    url: settings.eventUrl,
    contentType: 'application/json',
    body: JSON.stringify(envelope),
    signature: options.signature,
    timestampSeconds: options.timestampSeconds,
    isRetried: true,
  });
}

/** Verifies the app's event request URL as Slack does: the app must answer with the challenge. */
export async function verifyEventUrl(
  platform: Platform,
): Promise<{ isVerified: boolean; delivery: Delivery }> {
  const { app, deliveries } = platform;
  if (!app.settings.eventUrl) throw new Error('The app has no event request URL.');
  const challenge = slackId('CH');
  const delivery = await deliveries.send({
    kind: 'url-verification',
    type: 'url_verification',
    eventId: null,
    teamId: null,
    enterpriseId: null,
    url: app.settings.eventUrl,
    contentType: 'application/json',
    body: JSON.stringify({ token: app.verificationToken, challenge, type: 'url_verification' }),
  });
  const isVerified = delivery.outcome === 'acknowledged' && (delivery.answer ?? '').includes(challenge);
  return { isVerified, delivery };
}
