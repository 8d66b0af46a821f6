import { z } from 'zod';

/**
 * The parts of Slack's requests that Foyer itself relies on. Everything else passes through to Bolt as it came.
 * (docs.slack.dev/apis/events-api#events-JSON)
 */

const id = z.string().min(1).max(64);

const authorization = z.object({
  enterprise_id: id.nullish(),
  team_id: id.nullish(),
  is_enterprise_install: z.boolean().nullish(),
});

/** An Events API delivery. */
export const eventEnvelope = z.object({
  type: z.literal('event_callback'),
  api_app_id: z.string().optional(),
  team_id: id.nullish(),
  enterprise_id: id.nullish(),
  event_id: z.string().optional(),
  /** Whole seconds. */
  event_time: z.number().optional(),
  is_enterprise_install: z.boolean().nullish(),
  authorizations: z.array(authorization).nullish(),
  event: z.object({
    type: z.string(),
    tokens: z.object({ oauth: z.array(id).nullish(), bot: z.array(id).nullish() }).nullish(),
    team_ids: z.array(id).nullish(),
  }),
});
export type EventEnvelope = z.output<typeof eventEnvelope>;

/** Which installation an event is about, in the shape that Slack's stores are asked with. */
export interface InstallationQuery {
  teamId: string | undefined;
  enterpriseId: string | undefined;
  isEnterpriseInstall: boolean;
}

/**
 * Says whose event it is. `authorizations` names the installation that the event was sent for; in a Slack Connect
 * channel the outer `team_id` may be another company's. Events of an uninstall may come without it.
 */
export function installationQuery(envelope: EventEnvelope): InstallationQuery {
  const given = envelope.authorizations?.[0];
  return {
    teamId: (given ? given.team_id : envelope.team_id) ?? undefined,
    enterpriseId: (given ? given.enterprise_id : envelope.enterprise_id) ?? undefined,
    isEnterpriseInstall: (given ? given.is_enterprise_install : envelope.is_enterprise_install) ?? false,
  };
}

/** Thrown for a body that is neither JSON nor one of Slack's forms, or whose type is not a name. */
export class MalformedBodyError extends Error {
  override readonly name = 'MalformedBodyError';
  readonly code = 'malformed_body';
}

/**
 * Parses the body of a verified request: JSON for events, a form for commands, a form with JSON in `payload` for
 * interactivity. @throws MalformedBodyError
 */
export function parseSlackBody(contentType: string | undefined, body: Buffer): Record<string, unknown> {
  const text = body.toString('utf8');
  try {
    const isForm = contentType?.split(';')[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded';
    const form = isForm ? Object.fromEntries(new URLSearchParams(text)) : undefined;
    const parsed: unknown = form
      ? form.payload === undefined
        ? form
        : JSON.parse(form.payload)
      : JSON.parse(text);
    if (isTyped(parsed)) return parsed;
  } catch (cause) {
    throw new MalformedBodyError('the body is neither JSON nor one of Slack’s forms', { cause });
  }
  throw new MalformedBodyError('the body holds no object with a type of its own');
}

/** An object whose `type`, and that of its event, is a text where there has to be one. */
function isTyped(parsed: unknown): parsed is Record<string, unknown> {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return false;
  const { type, event, challenge } = parsed as Record<string, unknown>;
  if (type === 'url_verification') return typeof challenge === 'string';
  // A slash command is the only request without a type.
  if (type !== 'event_callback') return type === undefined || typeof type === 'string';
  return typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string';
}
