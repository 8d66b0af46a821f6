/**
 * The parts of Slack's requests that Foyer itself uses. Everything else goes to Bolt unchanged.
 * (docs.slack.dev/apis/events-api#events-JSON)
 */

/** Identifies the installation that an event is about, in the same way as a query to Slack's InstallationStore. */
export interface InstallationQuery {
  teamId: string | undefined;
  enterpriseId: string | undefined;
  isEnterpriseInstall: boolean;
}

/**
 * A delivery of the Events API. Parts that could not be read are absent.
 *
 * Why no part is required: an uninstall must not be lost because of a field that its effect does not need (invariant
 * 6). A field of a wrong type counts as absent.
 */
export interface EventEnvelope {
  type: string;
  eventId: string | undefined;
  /** When the event happened, by Slack's clock, in milliseconds; always a whole second. */
  happenedAt: number | undefined;
  /**
   * The installations that the event may be about; the most likely one comes first. Empty if the event names neither a
   * team nor an enterprise.
   */
  candidates: InstallationQuery[];
  /** For `tokens_revoked`: the people whose tokens were revoked. */
  userIds: string[];
  /** For `tokens_revoked`: the bot users whose tokens were revoked. */
  botUserIds: string[];
  /** For `team_access_granted` and `team_access_revoked`: the workspaces that gained or lost the app. */
  teamIds: string[];
  /** The fields of the event itself, as Slack sent them. */
  fields: Fields;
}

export type Fields = Readonly<Record<string, unknown>>;

/** Returns the fields of an object; empty for any other value. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** Returns an id from Slack, or undefined if the value is not one. */
export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(value.trim()) ? value.trim() : undefined;
}

/** Foyer reads at most this many ids of a list. Slack never sends a list this long in an event. */
const mostIds = 1000;

function idsOf(value: unknown): string[] {
  const ids = (Array.isArray(value) ? value.slice(0, mostIds) : [value]).map(idOf);
  return [...new Set(ids.filter((id) => id !== undefined))];
}

function timeOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  // A time before Slack existed is not valid. An event with such a time would seem older than every install, so Foyer
  // would ignore it.
  const isTime = typeof seconds === 'number' && seconds > 1e9 && seconds < 1e11;
  return isTime ? Math.floor(seconds) * 1000 : undefined;
}

/** Returns the type of a delivery's event, or `app_rate_limited`: the only delivery that contains no event. */
export function eventTypeOf({ type, event }: Fields): unknown {
  return type === 'app_rate_limited' ? type : fieldsOf(event).type;
}

export function readEnvelope(body: Fields): EventEnvelope {
  const event = fieldsOf(body.event);
  const tokens = fieldsOf(event.tokens);
  return {
    type: String(eventTypeOf(body)),
    eventId: idOf(body.event_id),
    happenedAt: timeOf(body.event_time ?? body.minute_rate_limited),
    candidates: candidatesOf(body),
    userIds: idsOf(tokens.oauth),
    botUserIds: idsOf(tokens.bot),
    teamIds: idsOf(event.team_ids),
    fields: event,
  };
}

/**
 * Lists the installations that an event may belong to. `authorizations` names the installation for which Slack sent the
 * event. In a Slack Connect channel, the outer `team_id` may be the id of another company's workspace. Foyer therefore
 * uses the outer `team_id` only if there is no authorization, or if an authorization names neither a team nor an
 * org-wide install.
 *
 * Without an authorization, the outer fields may name a team and an enterprise, but not the kind of install. The list
 * then contains the workspace's own install first, and the org-wide install second.
 */
function candidatesOf(body: Fields): InstallationQuery[] {
  const outer = queryOf(body);
  const given = Array.isArray(body.authorizations) ? body.authorizations.slice(0, 100) : [];
  const named = given.map((entry) => queryOf(fieldsOf(entry))).filter(namesSomebody);
  if (named.length > 0) {
    return named.flatMap((query) => {
      // If an authorization names no team, the event may still be about the team that the delivery names.
      const isWhole = query.teamId !== undefined || query.isEnterpriseInstall || outer.teamId === undefined;
      return isWhole ? [query] : [{ ...query, teamId: outer.teamId }, query];
    });
  }
  if (!namesSomebody(outer)) return [];
  const saysWorkspace = body.is_enterprise_install === false;
  const orgWide = { teamId: undefined, enterpriseId: outer.enterpriseId, isEnterpriseInstall: true };
  const mayBeOrgWide = !outer.isEnterpriseInstall && outer.teamId && outer.enterpriseId && !saysWorkspace;
  return mayBeOrgWide ? [outer, orgWide] : [outer];
}

function queryOf(fields: Fields): InstallationQuery {
  const enterpriseId = idOf(fields.enterprise_id);
  const flag = fields.is_enterprise_install;
  return {
    teamId: idOf(fields.team_id),
    enterpriseId,
    // If the request names no enterprise, it cannot be about an org-wide install.
    isEnterpriseInstall: (flag === true || flag === 'true') && enterpriseId !== undefined,
  };
}

const namesSomebody = (query: InstallationQuery): boolean =>
  query.teamId !== undefined || query.enterpriseId !== undefined;

/**
 * Returns who opened, pressed or sent something; undefined if the body names no person. `from` is the person's own
 * workspace. It is set only if the body names it, and if the person used the app in another workspace. An example is a
 * person of another company in a Slack Connect channel. The workspace where the app was used is in `team`; for a
 * dialog, it is in `view` (docs.slack.dev/reference/interaction-payloads/view-interactions-payload).
 */
export function personIn(body: Fields): { userId: string; from?: string } | undefined {
  const user = fieldsOf(body.user);
  const userId = idOf(user.id) ?? idOf(body.user_id) ?? idOf(fieldsOf(body.event).user);
  if (userId === undefined) return undefined;
  const home = idOf(user.team_id);
  const place = idOf(fieldsOf(body.view).app_installed_team_id) ?? idOf(fieldsOf(body.team).id);
  return home === undefined || home === place ? { userId } : { userId, from: home };
}

/**
 * Thrown for a body that is neither JSON nor one of Slack's forms, or that lacks a field that its kind needs, such as
 * `type`.
 */
export class MalformedBodyError extends Error {
  override readonly name = 'MalformedBodyError';
  readonly code = 'malformed_body';
}

/**
 * Parses the body of a verified request: JSON for an event, a form for a command, and a form with JSON in `payload` for
 * interactivity.
 * @throws MalformedBodyError
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
    if (!form && isEvent(parsed)) {
      parsed.type = 'event_callback';
      // Bolt reads fields of the first authorization without a check. If that authorization were not an object, Bolt
      // would throw, and Foyer would log that a listener failed.
      if (Array.isArray(parsed.authorizations))
        parsed.authorizations = parsed.authorizations.filter((entry) => Object(entry) === entry);
    }
    if (isTyped(parsed)) return parsed;
  } catch (cause) {
    throw new MalformedBodyError('the body is neither JSON nor one of Slack’s forms', { cause });
  }
  throw new MalformedBodyError('the body is not an object, or lacks a field such as type');
}

/**
 * Returns whether this is a delivery of an event. It must contain an event with a type, because that type decides what
 * Foyer changes. The delivery's own `type` may be missing or wrong, but must not be an object.
 */
function isEvent(parsed: unknown): parsed is Record<string, unknown> {
  const { type, event } = fieldsOf(parsed);
  return typeof Object(event).type === 'string' && !(typeof type === 'object' && type !== null);
}

/**
 * Returns whether `parsed` is an object with the fields that Foyer needs. A delivery of an event needs the event's
 * `type`, and a URL verification needs `challenge`.
 */
function isTyped(parsed: unknown): parsed is Record<string, unknown> {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return false;
  const { type, event, challenge } = parsed as Record<string, unknown>;
  if (type === 'url_verification') return typeof challenge === 'string';
  // A slash command is the only request without a type.
  if (type !== 'event_callback') return type === undefined || typeof type === 'string';
  return typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string';
}
