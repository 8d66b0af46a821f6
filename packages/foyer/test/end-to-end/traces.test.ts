import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { context, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { createSpans } from '../../src/config/tracing.ts';
import { createVisitor, eventually, finishedRun, pressAddToSlack } from '../../src/testing/visitor.ts';
import { recordingLogger, type Stage, setStage } from '../support/start-foyer.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

/** Installs Acme with a callback that carries `traceparent`, as a proxy would add it. */
async function installTraced(stage: Stage): Promise<void> {
  const { sandbox, url } = stage;
  const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
  const visitor = createVisitor();
  const callback = await pressAddToSlack(visitor, url, sandbox, acme);
  const done = await visitor.get(callback, { traceparent });
  await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
  // Foyer logs this line only after the commit that shows the run as finished.
  await eventually(async () => stage.logged().some((line) => line.includes('run succeeded')));
}

describe('the trace of an install', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let stage: Stage;
  let spans: ReadableSpan[];
  before(async () => {
    provider.register();
    stage = await setStage({ environment: { TRACING: 'on' } });
    await installTraced(stage);
    spans = await eventually(async () => {
      const ended = exporter.getFinishedSpans();
      return ended.some(({ name }) => name === 'foyer run') && ended;
    });
  });
  after(async () => {
    await stage.close();
    await provider.shutdown();
    trace.disable();
    context.disable();
  });

  const named = (name: string) => spans.find((span) => span.name === name) ?? assert.fail(`no span ${name}`);

  it('the trace of an install continues the proxy’s trace, and reaches from the callback to the welcome', () => {
    const callback = named('foyer callback');
    assert.equal(callback.spanContext().traceId, traceId);
    assert.equal(callback.parentSpanContext?.spanId, '00f067aa0ba902b7');
    const run = named('foyer run');
    const welcome = named('foyer step send-welcome');
    const post = named('slack chat.postMessage');
    const chain = [callback, run, welcome, post];
    for (const [index, span] of chain.slice(1).entries())
      assert.equal(span.parentSpanContext?.spanId, chain[index]?.spanContext().spanId, span.name);
    assert.equal(named('slack oauth.v2.access').parentSpanContext?.spanId, callback.spanContext().spanId);
    assert.match(String(run.attributes['foyer.run_id']), /^run_/);
    assert.equal(run.attributes['foyer.request_id'], callback.attributes['foyer.request_id']);
    assert.match(String(run.attributes['foyer.installation_id']), /^ins_/);
  });

  it('the trace of an install contains no secret', () => {
    const text = JSON.stringify(
      spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    );
    assert.doesNotMatch(text, /xox|code=|state=|@example/);
    assert.ok(!text.includes(stage.config.slack.clientSecret));
  });

  it('every log line of an install has the ids of its trace and request, and its run’s lines also have the run and installation ids', () => {
    const lines = stage.logged().map((line) => JSON.parse(line));
    const installed = lines.findIndex(({ msg }) => msg === 'installed');
    const started = lines.findIndex(({ msg }) => msg === 'run started');
    const ended = lines.findIndex(({ msg }) => msg === 'run succeeded');
    const first = lines.findIndex(({ requestId }) => requestId !== undefined);
    assert.ok(first >= 0 && first < installed && started < ended);
    const { requestId, runId, installationId } = lines[installed];
    for (const line of lines.slice(first, installed + 1)) {
      assert.deepEqual([line.requestId, line.traceId], [requestId, traceId], line.msg);
    }
    const ofRun = lines.slice(started, ended + 1);
    assert.ok(ofRun.length > 8, 'with the calls to Slack');
    for (const line of ofRun) {
      const ids = [line.requestId, line.runId, line.installationId, line.traceId];
      assert.deepEqual(ids, [requestId, runId, installationId, traceId], line.msg);
    }
    for (const line of lines.slice(0, first)) assert.equal(line.traceId, undefined, line.msg);
  });
});

describe('an install without tracing', () => {
  it('an install without tracing still logs the id of the trace that its request belongs to', async (t) => {
    const stage = await setStage();
    t.after(() => stage.close());
    await installTraced(stage);
    const lines = stage.logged().map((line) => JSON.parse(line));
    assert.equal(lines.find(({ msg }) => msg === 'installed')?.traceId, traceId);
    assert.equal(lines.find(({ msg }) => msg === 'run succeeded')?.traceId, traceId);
  });

  it('if tracing is on but no OpenTelemetry SDK is registered, Foyer says so in the log', async (t) => {
    const stage = await setStage({ start: false });
    t.after(() => stage.close());
    const { log, lines } = recordingLogger(stage.config);
    createSpans({ config: { tracing: true }, log });
    assert.match(lines.join('\n'), /no OpenTelemetry SDK is registered/);
  });
});
