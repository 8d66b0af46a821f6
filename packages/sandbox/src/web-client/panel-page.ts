import type { Delivery } from '../events/delivery.ts';
import { type Html, html } from '../http/html.ts';
import type { Sandbox } from '../sandbox.ts';
import type { LoggedCall } from '../web-api/call-log.ts';
import { methods } from '../web-api/methods.ts';
import { formatSlackDate } from './slack-date.ts';
import type { Visit } from './visit.ts';

/** How many entries of each log the panel shows. */
const shown = 60;

/**
 * The panel: the clock, the app's process (if the sandbox's caller owns it), the planned faults, the latencies, and the
 * calls and deliveries.
 */
export function panelPage(visit: Visit, sandbox: Sandbox): Html {
  return html`<header class="page-head"><h1>Faults and deliveries</h1></header>
<div class="scroll"><div class="panel">
  <div class="panel-forms">${clockCard(visit, sandbox)}${processCard(visit, sandbox)}${faultCard(visit)}${latencyCard(visit, sandbox)}</div>
  <div id="live" data-part="panel">${panelLogs(visit, sandbox)}</div>
</div></div>`;
}

function form(visit: Visit, action: string, body: Html, className = ''): Html {
  return html`<form method="post" action="/client/${visit.workspace.id}/panel/${action}" class="${className}">${body}</form>`;
}

function clockCard(visit: Visit, { clock }: Sandbox): Html {
  const now = formatSlackDate(Math.floor(clock.now() / 1000), '{date_short}, {time_secs}', visit.reader);
  const steps: [string, number][] = [
    ['1 minute', 60_000],
    ['5 minutes', 300_000],
    ['1 hour', 3_600_000],
    ['12 hours', 43_200_000],
  ];
  const buttons = steps.map(([label, ms]) => html`<button name="advanceMs" value="${ms}">${label}</button>`);
  return html`<section class="card"><h2>Clock</h2><p>${now} <small class="soft">in ${visit.reader.timeZone}</small></p>
  <p class="soft">Move forward by</p>${form(visit, 'clock', html`${buttons}`, 'buttons')}
  ${form(visit, 'reset', html`<button class="danger">Reset everything</button>`, 'buttons spaced')}</section>`;
}

function processCard(visit: Visit, { app, appProcess }: Sandbox): Html | null {
  if (!appProcess) return null;
  const kill = html`<button class="danger">Kill it</button>`;
  return html`<section class="card"><h2>${app.settings.name}’s process</h2>
  <p class="soft">Kill the process in the middle of its work, as a crash would, then start it again.</p>
  ${form(visit, 'kill-app', kill, 'buttons')}
  ${form(visit, 'restart-app', html`<button>Start it again</button>`, 'buttons spaced')}</section>`;
}

function faultCard(visit: Visit): Html {
  const { world } = visit.platform;
  const failures: [string, string][] = [
    ['error', 'answer with the error …'],
    ['status', 'answer with the HTTP status …'],
    ['hang', 'hang for … milliseconds'],
    ['reset-before-acting', 'drop the connection before acting'],
    ['reset-after-acting', 'drop the connection after acting'],
    ['malformed-json', 'answer with invalid JSON'],
  ];
  const places = [...world.workspaces.values(), ...world.enterprises.values()];
  return html`<section class="card"><h2>Make calls fail</h2>${form(
    visit,
    'faults',
    html`<label>The next <input name="times" type="number" min="1" value="1" class="narrow"></label>
  <label>calls of <select name="method"><option value="*">any method</option>${Object.keys(methods).map((name) => html`<option>${name}</option>`)}</select></label>
  <label>in <select name="teamId"><option value="">any workspace</option>${places.map(({ id, name }) => html`<option value="${id}">${name}</option>`)}</select></label>
  <label><select name="type" aria-label="What happens">${failures.map(([value, label]) => html`<option value="${value}">${label}</option>`)}</select></label>
  <label>with <input name="value" value="fatal_error" aria-label="Error, status or milliseconds"></label>
  <div class="buttons"><button class="primary">Add</button></div>`,
    'stack',
  )}</section>`;
}

function latencyCard(visit: Visit, { rateLimits }: Sandbox): Html {
  return html`<section class="card"><h2>Slow down</h2>${form(
    visit,
    'latency',
    html`<label>Each call of <select name="method"><option value="*">any method</option>${Object.keys(methods).map((name) => html`<option>${name}</option>`)}</select></label>
  <label>takes <input name="delayMs" type="number" min="0" step="100" value="500" class="narrow"> ms longer</label>
  <div class="buttons"><button>Set</button></div>`,
    'stack',
  )}
  ${form(visit, 'rate-limits', html`<input type="hidden" name="isOn" value="${rateLimits.isOn ? '' : 'yes'}"><button>${rateLimits.isOn ? 'Turn off rate limits' : 'Turn on rate limits'}</button>`, 'buttons spaced')}</section>`;
}

/** The part of the panel that the page's script redraws. */
export function panelLogs(visit: Visit, { faults, deliveries, calls }: Sandbox): Html {
  const plans = faults.list();
  const latencies = Object.entries(faults.latencies());
  const pending = html`<section class="card"><h2>Upcoming</h2><ul class="rows">${plans.map(
    ({ method, teamId, times, failure }) =>
      html`<li><span><code>${method}</code> ${teamId ? `in ${teamId}` : ''} ${times ?? 1} × ${JSON.stringify(failure)}</span></li>`,
  )}${latencies.map(([method, ms]) => html`<li><span><code>${method}</code> takes ${ms} ms longer</span></li>`)}</ul>
  ${form(visit, 'clear-faults', html`<button>Clear</button>`, 'buttons')}</section>`;
  return html`${plans.length + latencies.length > 0 ? pending : null}
  ${deliveryTable(visit, deliveries.list().slice(-shown).reverse())}
  ${callTable(visit, calls().slice(-shown).reverse())}`;
}

function deliveryTable(visit: Visit, deliveries: Delivery[]): Html {
  const held = deliveries.filter((each) => each.outcome === 'held').length;
  const rows = deliveries.map((each) => {
    const mark =
      each.outcome === 'acknowledged'
        ? 'good'
        : each.outcome === 'sending' || each.outcome === 'held'
          ? 'wait'
          : 'bad';
    return html`<tr><td>${time(each.sentAt, visit)}</td>
    <td><details data-key="${each.id}"><summary>${each.type}${each.retryNumber > 0 ? ` (retry ${each.retryNumber}: ${each.retryReason})` : ''}</summary>
      <p class="soft">POST ${each.url}</p><pre>${headersText(each.headers)}\n\n${pretty(each.body)}</pre>${each.answer ? html`<p class="soft">Answer</p><pre>${each.answer}</pre>` : null}</details></td>
    <td>${placeName(visit, each.teamId ?? each.enterpriseId)}</td><td><span class="mark ${mark}">${each.outcome.replace('_', ' ')}</span> ${each.status ?? ''}</td><td>${each.ms === null ? '' : `${each.ms} ms`}</td>
    <td class="row-buttons">${form(visit, 'resend', html`<input type="hidden" name="id" value="${each.id}"><button name="times" value="1">Again</button><button name="times" value="2">Twice</button>`)}</td></tr>`;
  });
  return html`<section class="card wide"><h2>Sent to the app</h2>
  <div class="buttons">${form(visit, 'hold', html`<button>Hold back</button>`)}${form(visit, 'release', html`<button name="order" value="as-sent">Release ${held || ''}</button><button name="order" value="reversed">Release reversed</button>`, 'buttons')}</div>
  ${deliveries.length === 0 ? html`<p class="soft">Nothing yet. Open the app's Home, press a button, or remove the app.</p>` : html`<div class="table"><table><thead><tr><th>At</th><th>What</th><th>Where</th><th>Outcome</th><th>Took</th><th></th></tr></thead><tbody>${rows}</tbody></table></div>`}</section>`;
}

function callTable(visit: Visit, calls: LoggedCall[]): Html {
  const rows = calls.map((each) => {
    const isOk = each.answer?.ok === true;
    const said = isOk
      ? 'ok'
      : String(each.answer?.error ?? each.fault ?? (each.status === null ? 'in progress' : each.status));
    return html`<tr><td>${time(each.at, visit)}</td><td><details data-key="${each.id}"><summary>${each.method}</summary><pre>${JSON.stringify(each.arguments, null, 2)}</pre><p class="soft">Answer</p><pre>${JSON.stringify(each.answer, null, 2)}</pre></details></td>
    <td>${placeName(visit, each.teamId ?? each.enterpriseId)}</td><td><span class="mark ${isOk ? 'good' : 'bad'}">${said}</span>${!isOk && each.wasActedUpon ? ' (took effect anyway)' : ''}</td><td>${each.ms === null ? '' : `${each.ms} ms`}</td></tr>`;
  });
  return html`<section class="card wide"><h2>Called by the app</h2>${calls.length === 0 ? html`<p class="soft">Nothing yet.</p>` : html`<div class="table"><table><thead><tr><th>At</th><th>Method</th><th>Where</th><th>Answer</th><th>Took</th></tr></thead><tbody>${rows}</tbody></table></div>`}</section>`;
}

function time(atMs: number, { reader }: Visit): string {
  return formatSlackDate(Math.floor(atMs / 1000), '{time_secs}', { ...reader, locale: 'en-GB' });
}

function placeName({ platform: { world } }: Visit, id: string | null): string {
  return world.workspaces.get(id ?? '')?.name ?? world.enterprises.get(id ?? '')?.name ?? '';
}

function headersText(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

/** A request body in readable form: indented JSON. If the body is a form, this is the JSON of its `payload`. */
function pretty(body: string): string {
  const text = body.startsWith('payload=') ? (new URLSearchParams(body).get('payload') ?? body) : body;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
