import { setTimeout as delay } from 'node:timers/promises';
import type { Failure } from '../control/control-bodies.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import type { LoggedCall } from './call-log.ts';
import type { Answer } from './method.ts';

/** The outcome of a call: Slack's JSON, with a status and headers if they differ from the default. */
export type CallOutcome = { answer: Answer; status?: number; headers?: Record<string, string> };

/** Makes a call fail as `failure` says. Resolves to `null` if the failure cut the connection. */
export async function letFail(
  failure: Failure,
  act: () => Promise<CallOutcome>,
  exchange: Exchange,
  logged: LoggedCall,
): Promise<CallOutcome | Reply | null> {
  logged.fault = failure.type;
  switch (failure.type) {
    case 'error':
      return { answer: { ok: false, error: failure.error, ...failure.fields } };
    case 'status': {
      if (failure.status === 429) return rateLimited(failure.retryAfterSeconds ?? 1);
      return {
        status: failure.status,
        headers: { 'content-type': 'text/html' },
        body: `HTTP ${failure.status}`,
      };
    }
    case 'hang': {
      const outcome = failure.acts === false ? null : await act();
      await waitUnlessGone(exchange, failure.delayMs);
      return outcome ?? cut(exchange);
    }
    case 'reset-after-acting':
      await act();
      return cut(exchange);
    case 'reset-before-acting':
      return cut(exchange);
    case 'id-token':
      return act();
    case 'malformed-json': {
      if (failure.acts !== false) await act();
      return { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true,"chan' };
    }
  }
}

async function waitUnlessGone({ request }: Exchange, delayMs: number): Promise<void> {
  const gone = new AbortController();
  request.socket.once('close', () => gone.abort());
  await delay(delayMs, undefined, { signal: gone.signal, ref: false }).catch(() => {}); // the caller disconnected first
}

function cut({ request }: Exchange): null {
  request.socket.resetAndDestroy();
  return null;
}

/** Slack's answer to a call that exceeds the rate limit. */
export function rateLimited(waitSeconds: number): CallOutcome {
  return {
    status: 429,
    headers: { 'retry-after': String(waitSeconds) },
    answer: { ok: false, error: 'ratelimited' },
  };
}
