import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { App, Receiver, ReceiverEvent } from '@slack/bolt';
import type { Logger } from '../config/log.ts';
import { DatabaseUnavailableError } from '../database/database.ts';
import type { Refusals } from '../http/count-refusals.ts';
import type { BodyReader, BodyRefusal } from '../http/read-body.ts';
import { asksForRepeat } from './repeat-event.ts';
import type { SeenDeliveries } from './seen-deliveries.ts';
import { MalformedBodyError, parseSlackBody } from './slack-request.ts';
import type { SignatureCheck } from './verify-signature.ts';

/**
 * Bolt's receiver for `POST /slack/events`. In this order, it checks the headers, reads the body within its limits,
 * verifies and parses it, commits what an event changes, acknowledges the event, and only then runs Bolt's listeners.
 * Interactions are acknowledged by their listener.
 *
 * Why not Bolt's HTTPReceiver: it buffers any body, acknowledges an event before its effect is committed (or, with
 * `processBeforeResponse`, only after every listener), answers 401 for a team without an installation (so Slack
 * retries), and never answers the request if it throws.
 */

/** Slack waits three seconds for an answer to a button or a command. */
const acknowledgeWithinMs = 2800;
/** How long Foyer waits before the first, second and third repeat of an event. */
const repeatAfterMs = [1000, 10_000, 60_000];
/** The maximum number of events that wait for a repeat at the same time. */
const mostRepeats = 1000;

export interface SlackReceiverDeps {
  signature: SignatureCheck;
  bodies: Pick<BodyReader, 'read' | 'refuse'>;
  refusals: Pick<Refusals, 'add'>;
  /**
   * Whether a body contains this app's id. If it does, the request is probably from Slack, even if its signature is
   * wrong. Must not throw.
   */
  namesThisApp?(body: Buffer): boolean;
  /** The client's address, for the log. */
  addressOf(req: IncomingMessage): string;
  /**
   * Commits what an event changes; returns undefined if events of its type change nothing.
   * @throws DatabaseUnavailableError
   */
  commitLifecycle(body: Record<string, unknown>, now: number): Promise<void> | undefined;
  /**
   * Called once for each request, when Foyer has answered it or the client has hung up. `kind` and `type` say what the
   * request was, and `ms` how long the client waited. `status` is 0 if nothing was sent. `kind` and `type` are
   * `unverified` if Foyer could not prove that the request is from Slack, could not read its body, or is stopping. Must
   * not throw.
   */
  onAnswered?(request: {
    kind: 'event' | 'interaction' | 'unverified';
    type: string;
    status: number;
    ms: number;
  }): void;
  /** Remembers earlier deliveries, so that listeners receive each delivery once. */
  seen: Pick<SeenDeliveries, 'isFirst' | 'forget'>;
  now: () => number;
  log: Logger;
}

/** A Bolt receiver that opens no port: Foyer's routes call `handle`. */
export interface SlackReceiver extends Receiver {
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /**
   * Cancels planned repeats, and resolves when every running listener has ended. From this call on, Foyer answers each
   * request from Slack with 503, so that Slack sends its event again.
   */
  drain(): Promise<void>;
}

export function createSlackReceiver(deps: SlackReceiverDeps): SlackReceiver {
  const { log, signature, refusals, seen } = deps;
  let app: App | undefined;
  /** How many deliveries Bolt's listeners are working on, and what to call when that number reaches zero. */
  let running = 0;
  const onDrained: (() => void)[] = [];
  const repeats = new Set<NodeJS.Timeout>();
  let isDraining = false;
  /**
   * Whether the log already explains where to mount Foyer. Foyer logs this only once, since otherwise each request from
   * a stranger could add a line.
   */
  let explainedMounting = false;

  /**
   * Passes an event to Bolt's listeners, immediately or when `soon` resolves. If `soon` resolves to false, the
   * listeners do not receive the event. When the listeners have ended, resolves to true if one of them asked to repeat
   * the event.
   */
  async function process(event: ReceiverEvent, soon?: Promise<unknown>): Promise<boolean> {
    if (!app) return false;
    running += 1;
    let again = false;
    try {
      if (!soon || (await soon) !== false) await app.processEvent(event);
    } catch (error) {
      again = asksForRepeat(error);
      if (again) log.warn({ err: error }, 'a listener asked Foyer to repeat an event');
      // This is not an error: a team's events may arrive after it uninstalled the app.
      else if (isUnauthorized(error))
        log.debug({ err: error }, 'an event came from a team without an installation');
      else log.error({ err: error }, 'a listener failed');
    }
    running -= 1;
    if (running === 0) for (const tell of onDrained.splice(0)) tell();
    return again;
  }

  /**
   * Plans a repeat of an event. Gives up on the event instead if its last repeat has failed, if Foyer is stopping, or
   * if too many repeats are planned. Foyer then forgets the event: if Slack sends it again, it counts as new.
   */
  function repeatLater(event: ReceiverEvent, key: string | undefined, times = 0): void {
    const delayMs = repeatAfterMs[times];
    if (isDraining || delayMs === undefined || repeats.size >= mostRepeats) {
      log.error(
        { eventId: event.body.event_id, times },
        'gave up on an event: its listener could not handle it',
      );
      if (key)
        seen
          .forget(key)
          .catch((error) =>
            log.warn(
              { err: error },
              'could not delete the record of a failed event, so Foyer will ignore the event if Slack sends it again',
            ),
          );
      return;
    }
    const timer = setTimeout(async () => {
      repeats.delete(timer);
      if (await process(event)) repeatLater(event, key, times + 1);
    }, delayMs);
    repeats.add(timer);
  }

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    let delivery: { kind: 'event' | 'interaction' | 'unverified'; type: string } = {
      kind: 'unverified',
      type: 'unverified',
    };
    res.on('close', () => {
      const status = res.headersSent ? res.statusCode : 0;
      deps.onAnswered?.({ ...delivery, status, ms: performance.now() - startedAt });
    });
    const address = deps.addressOf(req);
    // The headers are checked before any byte of the body is read, so that a stranger's request costs no memory.
    const doubt = signature.ofHeaders(req.headers);
    if (doubt) {
      refusals.add(doubt, address);
      return deps.bodies.refuse(req, res, 401);
    }
    const body = await deps.bodies.read(req);
    if (typeof body === 'number') {
      if (body === 500 && !explainedMounting) {
        explainedMounting = true;
        log.error(
          'a body parser of the host read the body before Foyer, so Foyer cannot check the signature: mount Foyer before the parser, or let the parser keep the bytes as req.rawBody',
        );
      }
      refusals.add(bodyProblems[body], address);
      return deps.bodies.refuse(req, res, body);
    }
    const problem = signature.ofRequest(req.headers, body);
    if (problem) {
      const isOurs = problem === 'signature_wrong' && deps.namesThisApp?.(body);
      refusals.add(isOurs ? 'secret_mismatch' : problem, address);
      return answer(res, 401);
    }
    // Foyer is stopping. After this answer, Slack sends an event again, and another machine or the next process
    // receives it.
    if (isDraining) return answer(res, 503);
    let payload: Record<string, unknown>;
    try {
      payload = parseSlackBody(req.headers['content-type'], body);
    } catch (error) {
      if (!(error instanceof MalformedBodyError)) throw error;
      refusals.add('malformed_body', address);
      return answer(res, 400);
    }
    delivery = kindOf(payload);
    if (payload.type === 'url_verification') return answerJson(res, { challenge: String(payload.challenge) });
    if (payload.type === 'event_callback' || payload.type === 'app_rate_limited')
      return handleEvent(req, res, payload);
    const isFirst = seen.isFirst(`press ${req.headers['x-slack-signature']}`);
    // Do not await `isNew` here: `handleInteraction` must count the press as running before a drain can begin, so that
    // the drain waits for the press.
    const isNew = Promise.resolve(isFirst).then((first) => {
      if (!first) refusals.add('replayed_press', address);
      return first;
    });
    const leftMs = acknowledgeWithinMs - (performance.now() - startedAt);
    return handleInteraction(req, res, payload, isNew, leftMs);
  }

  async function handleEvent(req: IncomingMessage, res: ServerResponse, body: Record<string, unknown>) {
    try {
      // For most events there is nothing to commit, so Foyer does not wait at all.
      const commit = deps.commitLifecycle(body, deps.now());
      if (commit) await commit;
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      log.error({ err: error }, 'an event could not be committed; Slack will send it again');
      return answer(res, 503);
    }
    // Foyer may have begun to stop during the commit. Then it passes no more events to listeners.
    if (isDraining) return answer(res, 503);
    answer(res, 200);
    // This delivery contains no event that a listener could receive.
    if (body.type === 'app_rate_limited') return;
    // Before Foyer runs any listener, it acknowledges all events that arrive in the same turn of the event loop. Slack
    // then waits less. The events also cost 14 to 27 % less CPU than if Foyer handled them one by one: their sender
    // wakes less often to read Foyer's answers, and Foyer checks only once whether the database has changed.
    const event = { body, ...retryOf(req), ack: async () => {} };
    const key = typeof body.event_id === 'string' ? `event ${body.event_id.slice(0, 100)}` : undefined;
    const isFirst = key === undefined || seen.isFirst(key);
    if (isFirst === false) return;
    if (await process(event, isFirst === true ? endOfTurn() : isFirst)) repeatLater(event, key);
  }

  /**
   * Handles a button, a command or a dialog. The listener answers the request. If no listener does, or if `isNew`
   * resolves to false, Foyer answers with an empty 200.
   */
  async function handleInteraction(
    req: IncomingMessage,
    res: ServerResponse,
    body: Record<string, unknown>,
    isNew: Promise<boolean>,
    leftMs: number,
  ) {
    const tooLate = setTimeout(() => {
      if (res.headersSent) return;
      log.error({ type: body.type }, 'no listener acknowledged in time');
      answer(res, 200);
    }, leftMs);
    res.once('close', () => clearTimeout(tooLate));
    const press: ReceiverEvent = {
      body,
      ...retryOf(req),
      async ack(response?: unknown) {
        if (res.headersSent) return;
        if (response === undefined || response === '') answer(res, 200);
        else if (typeof response === 'string') answerText(res, response);
        else answerJson(res, response);
      },
    };
    await process(press, isNew);
    // No listener acknowledged the request, for example because the button has no listener or its team has no
    // installation.
    if (!res.headersSent) answer(res, 200);
  }

  return {
    handle,
    init(bolt) {
      app = bolt;
    },
    start: () => Promise.reject(new Error('the receiver is part of a server and cannot listen itself')),
    stop: async () => {},
    async drain() {
      isDraining = true;
      for (const timer of repeats) clearTimeout(timer);
      repeats.clear();
      if (running > 0) await new Promise<void>((resolve) => onDrained.push(resolve));
    },
  };
}

const bodyProblems = {
  400: 'body_cut_off',
  408: 'body_too_slow',
  413: 'body_too_large',
  500: 'body_read_before',
  503: 'bodies_over_budget',
} as const satisfies Record<BodyRefusal, string>;

/** Returns the kind and type of a request, for the metrics. A slash command is the only request without a type. */
function kindOf({ type, event }: Record<string, unknown>): { kind: 'event' | 'interaction'; type: string } {
  if (type === 'app_rate_limited') return { kind: 'event', type };
  if (type !== 'event_callback') return { kind: 'interaction', type: String(type ?? 'command') };
  const eventType = typeof event === 'object' && event !== null && 'type' in event ? event.type : undefined;
  return { kind: 'event', type: String(eventType) };
}

function retryOf(req: IncomingMessage): Pick<ReceiverEvent, 'retryNum' | 'retryReason'> {
  const { 'x-slack-retry-num': count, 'x-slack-retry-reason': reason } = req.headers;
  return {
    retryNum: typeof count === 'string' ? Number.parseInt(count, 10) : undefined,
    retryReason: typeof reason === 'string' ? reason : undefined,
  };
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'slack_bolt_authorization_error';
}

function answer(res: ServerResponse, status: number): void {
  res.writeHead(status, { 'Content-Length': 0 }).end();
}

function answerText(res: ServerResponse, text: string): void {
  res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}

function answerJson(res: ServerResponse, value: unknown): void {
  res.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}
