import { z } from 'zod';
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { Route } from '../http/routes.ts';
import type { Sandbox } from '../sandbox.ts';
import { controlBodies as bodies } from './control-bodies.ts';

/** The control API: JSON in, JSON out, one address per control. It offers the methods of `Sandbox` over HTTP. */
export function controlRoutes(sandbox: Sandbox): Route[] {
  const { clock, faults, rateLimits, deliveries } = sandbox;
  const time = () => ({ nowMs: clock.now() });
  return [
    read('state', () => sandbox.state()),
    read('app', () => ({ ...sandbox.app, settings: undefined })),
    read('calls', ({ url }) => sandbox.calls(url.searchParams.get('method') ?? undefined)),
    read('deliveries', () => deliveries.list()),
    read('clock', time),
    read('faults', () => ({
      plans: faults.list(),
      latencies: faults.latencies(),
      rateLimits: { ...rateLimits },
    })),
    act('open-home', bodies.openHome, sandbox.openHome),
    act('request-connection', bodies.requestConnection, sandbox.requestConnection),
    act('press', bodies.press, sandbox.press),
    act('send-message', bodies.sendMessage, sandbox.sendMessage),
    act('uninstall', bodies.where, sandbox.uninstall),
    act('revoke-user', bodies.revokeUser, sandbox.revokeUser),
    act('revoke-bot', bodies.where, sandbox.revokeBot),
    act('grant-access', bodies.access, sandbox.grantAccess),
    act('revoke-access', bodies.access, sandbox.revokeAccess),
    act('send-event', bodies.sendEvent, sandbox.sendEvent),
    act('verify-event-url', bodies.nothing, () => sandbox.verifyEventUrl()),
    act('add-workspace', bodies.addWorkspace, sandbox.addWorkspace),
    act('distribution', bodies.setDistribution, sandbox.setDistribution),
    act('suspension', bodies.setSuspended, sandbox.setSuspended),
    act('add-member', bodies.addMember, sandbox.addMember),
    act('deactivate', bodies.person, sandbox.deactivate),
    act('reactivate', bodies.person, sandbox.reactivate),
    act('require-approval', bodies.requireApproval, sandbox.requireApproval),
    act('approve', bodies.approve, sandbox.approve),
    act('consent', bodies.consent, async (options) => ({ location: await sandbox.consent(options) })),
    act('sign-in', bodies.signIn, async (options) => ({ location: await sandbox.signIn(options) })),
    act('rotate-signing-key', bodies.nothing, () => sandbox.rotateSigningKey()),
    act('faults', bodies.fault, faults.add),
    act('faults/clear', bodies.nothing, () => faults.clear()),
    act('latency', bodies.latency, ({ method, delayMs }) => faults.setLatency(method, delayMs)),
    act('rate-limits', bodies.rateLimits, (options) => void Object.assign(rateLimits, options)),
    act('deliveries/hold', bodies.nothing, () => deliveries.hold()),
    act('deliveries/release', bodies.release, ({ order }) => deliveries.release(order)),
    act('deliveries/:id/resend', bodies.resend, ({ times }, { id = '' }) => deliveries.resend(id, { times })),
    act('clock', bodies.clock, async (move) => {
      await ('setMs' in move ? clock.set(move.setMs) : clock.advance(move.advanceMs));
      return time();
    }),
    act('manifest', bodies.manifest, (manifest) => sandbox.changeManifest(manifest)),
    act('app/kill', bodies.nothing, () => appProcessOf(sandbox).kill()),
    act('app/restart', bodies.nothing, () => appProcessOf(sandbox).restart()),
    act('reset', bodies.nothing, () => sandbox.reset()),
  ];
}

function appProcessOf({ appProcess }: Sandbox): NonNullable<Sandbox['appProcess']> {
  if (!appProcess)
    throw new Error("The sandbox does not control the app's process: start and stop it yourself.");
  return appProcess;
}

function read(name: string, run: (exchange: Exchange) => unknown): Route {
  return { on: `GET /sandbox/${name}`, handle: (exchange) => jsonReply(run(exchange)) };
}

/**
 * Makes the HTTP route of one control. Answers 400 if the body has the wrong shape, and 409 with the reason if the
 * control throws.
 */
function act<T>(
  name: string,
  body: z.ZodType<T>,
  run: (options: T, parts: Record<string, string>) => unknown,
): Route {
  async function handle(exchange: Exchange, parts: Record<string, string>): Promise<Reply> {
    const parsed = body.safeParse(parseJson(exchange.body));
    if (!parsed.success) return jsonReply({ ok: false, error: z.prettifyError(parsed.error) }, 400);
    try {
      return jsonReply({ ok: true, result: (await run(parsed.data, parts)) ?? null });
    } catch (error) {
      return jsonReply({ ok: false, error: error instanceof Error ? error.message : String(error) }, 409);
    }
  }
  return { on: `POST /sandbox/${name}`, handle };
}

/** An empty body means no options; a body that is not JSON fails the shape check. */
function parseJson(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
