import type { IncomingHttpHeaders } from 'node:http';
import {
  type Attributes,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Logger } from './log.ts';
import { foyerVersion } from './version.ts';

/**
 * Traces installs, runs and calls to Slack, using only OpenTelemetry's API. An SDK, which the app starts before Foyer,
 * records and exports the spans; without an SDK, nothing is recorded. Spans contain names, ids and codes; they never
 * contain an error message, a token or an address with its query (invariant 4).
 */

/** An open span. */
export interface OpenSpan {
  /** The span's trace, for the log and for work that continues elsewhere; undefined if there is none. */
  readonly context: SpanContext | undefined;
  /** Marks the span as failed, with a code. */
  fail(code: string): void;
}

interface SpanOptions {
  kind?: keyof typeof kinds;
  /** The parent span; null for no parent. By default, the active span is the parent. */
  parent?: SpanContext | null;
  attributes?: Attributes;
}

/** Runs `work` in a span that ends when `work` ends. */
export type TraceSpan = <T>(
  name: string,
  options: SpanOptions,
  work: (span: OpenSpan) => Promise<T>,
) => Promise<T>;

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

/** Creates no spans. Still passes on the trace that came with a request, so that the log can show it. */
export const untraced: TraceSpan = (_name, { parent }, work) =>
  work({ context: parent ?? undefined, fail() {} });

/**
 * Returns the function that creates the spans of one Foyer; `untraced` if tracing is off. Warns if tracing is on but no
 * SDK records the spans.
 */
export function createSpans(deps: { config: { tracing: boolean }; log: Logger }): TraceSpan {
  if (!deps.config.tracing) return untraced;
  const tracer = trace.getTracer('slack-foyer', foyerVersion);
  const probe = tracer.startSpan('foyer start', {}, ROOT_CONTEXT);
  if (!isSpanContextValid(probe.spanContext())) {
    deps.log.warn('TRACING is on, but no OpenTelemetry SDK is registered: start one before Foyer');
  }
  probe.end();
  return (name, { kind = 'internal', parent, attributes }, work) => {
    const within =
      parent === undefined
        ? context.active()
        : parent === null
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, parent);
    return tracer.startActiveSpan(name, { kind: kinds[kind], attributes }, within, async (span) => {
      const own = span.spanContext();
      const fail = (code: string): void => void span.setStatus({ code: SpanStatusCode.ERROR, message: code });
      try {
        return await work({ context: isSpanContextValid(own) ? own : (parent ?? undefined), fail });
      } catch (error) {
        fail(error instanceof Error ? error.name : 'error');
        throw error;
      } finally {
        span.end();
      }
    });
  };
}

/**
 * Returns the trace of a request, from the host's active span or else from `traceparent` (W3C Trace Context).
 * Returns null if there is neither.
 */
export function traceOf(headers: IncomingHttpHeaders): SpanContext | null {
  const active = trace.getSpanContext(context.active());
  if (active && isSpanContextValid(active)) return active;
  const { traceparent } = headers;
  const [, version, traceId = '', spanId = '', flags = ''] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/.exec(String(traceparent)) ?? [];
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return version !== 'ff' && isSpanContextValid(remote) ? remote : null;
}
