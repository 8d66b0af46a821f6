import type { Failure } from '../control/control-bodies.ts';
import type { Route } from '../http/routes.ts';
import type { Sandbox } from '../sandbox.ts';
import { afterForm } from './after-form.ts';

/** The routes of the panel's forms. The forms let a person do what tests do with the control API. */
export function panelRoutes(sandbox: Sandbox): Route[] {
  const { faults, deliveries, clock, rateLimits } = sandbox;

  function act(name: string, run: (form: URLSearchParams) => unknown): Route {
    return {
      on: `POST /client/:team/panel/${name}`,
      handle: ({ form }, { team = '' }) => afterForm(`/client/${team}/panel`, () => run(form)),
    };
  }

  return [
    act('clock', (form) => clock.advance(Number(form.get('advanceMs')))),
    act('reset', () => sandbox.reset()),
    act('kill-app', () => sandbox.appProcess?.kill()),
    act('restart-app', () => sandbox.appProcess?.restart()),
    act('faults', (form) => {
      const teamId = form.get('teamId') || undefined;
      const times = Math.max(1, Number(form.get('times')));
      faults.add({ method: form.get('method') ?? '*', teamId, times, failure: readFailure(form) });
    }),
    act('clear-faults', () => faults.clear()),
    act('latency', (form) => faults.setLatency(form.get('method') ?? '*', Number(form.get('delayMs')))),
    act('rate-limits', (form) => {
      rateLimits.isOn = form.get('isOn') === 'yes';
    }),
    act('hold', () => deliveries.hold()),
    act('release', (form) => deliveries.release(form.get('order') === 'reversed' ? 'reversed' : 'as-sent')),
    act('resend', (form) => deliveries.resend(form.get('id') ?? '', { times: Number(form.get('times')) })),
  ];
}

function readFailure(form: URLSearchParams): Failure {
  const value = form.get('value') ?? '';
  switch (form.get('type')) {
    case 'status':
      return { type: 'status', status: Number(value) || 500 };
    case 'hang':
      return { type: 'hang', delayMs: Number(value) || 5000 };
    case 'reset-before-acting':
      return { type: 'reset-before-acting' };
    case 'reset-after-acting':
      return { type: 'reset-after-acting' };
    case 'malformed-json':
      return { type: 'malformed-json' };
    default:
      return { type: 'error', error: value || 'fatal_error' };
  }
}
