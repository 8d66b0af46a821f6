import { z } from 'zod';
import { idTokenFlaws } from '../openid/id-token.ts';

const id = z.string().min(1);
const whom = { teamId: id, userId: id };
const where = z.union([z.object({ teamId: id }), z.object({ enterpriseId: id })]);
const optionalPlace = { teamId: id.optional(), enterpriseId: id.optional() };

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
    where: z.enum(['home', 'message', 'modal']).optional(),
    messageTs: id.optional(),
    chosen: z.record(z.string(), z.unknown()).optional(),
    entered: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  }),
  sendMessage: z.object({ ...whom, text: id }),
  where,
  revokeUser: z.intersection(where, z.object({ userId: id })),
  access: z.object({ enterpriseId: id, teamIds: z.array(id) }),
  sendEvent: z.object({
    ...optionalPlace,
    event: z.looseObject({ type: id }),
    eventTimeSeconds: z.number().int().optional(),
    eventId: id.optional(),
    signature: z.enum(['valid', 'wrong', 'none']).optional(),
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
    ...optionalPlace,
    authorizeUrl: id,
    userId: id,
    decision: z.enum(['allow', 'cancel']).optional(),
    declinedScopes: z.array(id).optional(),
  }),
  signIn: z.object({
    authorizeUrl: id,
    userId: id,
    teamId: id.optional(),
    decision: z.enum(['allow', 'cancel']).optional(),
  }),
  fault: z.object({
    method: id,
    teamId: id.optional(),
    times: z.number().int().positive().optional(),
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
