import { z } from 'zod';
import { idTokenFlaws } from '../openid/id-token.ts';

const id = z.string().min(1);
const whom = { teamId: id, userId: id };
const where = z.union([z.object({ teamId: id }), z.object({ enterpriseId: id })]);
const optionalPlace = { teamId: id.optional(), enterpriseId: id.optional() };

/**
 * How the sandbox makes a call fail. Below, "acts" means that the sandbox runs the called method.
 * - `error`: answers `ok: false` with this error, and does nothing;
 * - `status`: answers with an HTTP status (429 with `retryAfterSeconds`), and does nothing;
 * - `hang`: acts, then answers only after `delayMs`; with `acts: false`, only cuts the connection after `delayMs`;
 * - `reset-before-acting`: cuts the connection, and does nothing;
 * - `reset-after-acting`: acts, then cuts the connection;
 * - `malformed-json`: acts (unless `acts: false`), then answers with half a JSON text;
 * - `id-token`: acts, but something is wrong with the ID token (only for `openid.connect.token`).
 */
export type Failure = z.infer<typeof failure>;

const failure = z.discriminatedUnion('type', [
  z.object({ type: z.literal('error'), error: id, fields: z.record(z.string(), z.unknown()).optional() }),
  z.object({ type: z.literal('status'), status: z.number().int(), retryAfterSeconds: z.number().optional() }),
  z.object({ type: z.literal('hang'), delayMs: z.number().nonnegative(), acts: z.boolean().optional() }),
  z.object({ type: z.literal('reset-before-acting') }),
  z.object({ type: z.literal('reset-after-acting') }),
  z.object({ type: z.literal('malformed-json'), acts: z.boolean().optional() }),
  z.object({ type: z.literal('id-token'), flaw: z.enum(idTokenFlaws) }),
]);

/** The bodies of the control API, by the name of the control. */
export const controlBodies = {
  openHome: z.object({ ...whom, tab: z.enum(['home', 'messages']).optional() }),
  requestConnection: z.object({ ...whom, subtype: z.enum(['connect', 'disconnect']) }),
  press: z.object({
    ...whom,
    actionId: id,
    blockId: id.optional(),
    /**
     * Where the element is. The default is `message` if `messageTs` is given, and otherwise `home`. If `where` is
     * `message` and `messageTs` is missing, the sandbox uses the newest message in the DM that has an element with this
     * `actionId`.
     */
    where: z.enum(['home', 'message', 'modal']).optional(),
    /** The timestamp of a message in the DM. */
    messageTs: id.optional(),
    /** The choice in a select or similar element, merged into the action: `{ selected_option: … }`. */
    chosen: z.record(z.string(), z.unknown()).optional(),
    /** The values of the surface's inputs, by block id and action id: the `state.values` of the press. */
    entered: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  }),
  sendMessage: z.object({ ...whom, text: id }),
  where,
  revokeUser: z.intersection(where, z.object({ userId: id })),
  access: z.object({ enterpriseId: id, teamIds: z.array(id) }),
  sendEvent: z.object({
    ...optionalPlace,
    event: z.looseObject({ type: id }),
    /** In seconds. By default, the sandbox's time. */
    eventTimeSeconds: z.number().int().optional(),
    eventId: id.optional(),
    signature: z.enum(['valid', 'wrong', 'none']).optional(),
    /** The time in the signature, in seconds. By default, the real time. */
    timestampSeconds: z.number().int().optional(),
  }),
  addWorkspace: z.object({ name: id }),
  setDistribution: z.object({ onlyTeamId: id.nullable() }),
  setSuspended: z.object({ isSuspended: z.boolean() }),
  addMember: z.object({
    teamId: id,
    realName: id,
    role: z.enum(['owner', 'admin', 'member', 'guest']).optional(),
  }),
  person: z.object({ userId: id }),
  requireApproval: z.object({ teamId: id, isRequired: z.boolean() }),
  approve: z.object({ teamId: id }),
  consent: z.object({
    /** Where to install the app: `teamId` for a workspace, or `enterpriseId` for a whole org. */
    ...optionalPlace,
    /** The whole address that the app sent the browser to, from a `Location` header or a link. */
    authorizeUrl: id,
    userId: id,
    /** `allow` by default. */
    decision: z.enum(['allow', 'cancel']).optional(),
    /** Optional scopes that the person declines. */
    declinedScopes: z.array(id).optional(),
  }),
  signIn: z.object({
    /** The whole address that the app sent the browser to, from a `Location` header or a link. */
    authorizeUrl: id,
    userId: id,
    /** By default, the workspace that the app asked for. If the app asked for none, the person's first workspace. */
    teamId: id.optional(),
    /** `allow` by default. */
    decision: z.enum(['allow', 'cancel']).optional(),
  }),
  fault: z.object({
    /** A Web API method, or `*` for any. */
    method: id,
    /** If set, only calls for this workspace or org fail. */
    teamId: id.optional(),
    /** How many calls fail; 1 by default. */
    times: z.number().int().positive().optional(),
    /** How many matching calls the sandbox answers normally first. 0 by default. */
    after: z.number().int().nonnegative().optional(),
    failure,
  }),
  latency: z.object({ method: id, delayMs: z.number().nonnegative() }),
  rateLimits: z.object({ isOn: z.boolean(), isHistoryLimited: z.boolean().optional() }),
  resend: z.object({ times: z.number().int().positive().optional() }),
  release: z.object({ order: z.union([z.enum(['as-sent', 'reversed']), z.array(id)]).optional() }),
  clock: z.union([z.object({ setMs: z.number() }), z.object({ advanceMs: z.number() })]),
  manifest: z.looseObject({}),
  nothing: z.looseObject({}),
};

/** The options of a control: the body of its HTTP request, and the argument of its method. */
export type ControlOptions<Name extends keyof typeof controlBodies> = z.infer<(typeof controlBodies)[Name]>;
