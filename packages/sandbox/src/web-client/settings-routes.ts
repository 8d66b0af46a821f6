import type { Where } from '../control/controls.ts';
import { type Exchange, jsonReply, type Reply } from '../http/exchange.ts';
import type { Route } from '../http/routes.ts';
import type { Platform } from '../platform.ts';
import type { Sandbox } from '../sandbox.ts';
import { placeKey } from '../world/find.ts';
import { afterForm } from './after-form.ts';
import { readVisit, type Visit } from './visit.ts';

/** What a person does in the client: press, write, and manage the app. Each form redirects back to its page. */
export function settingsRoutes(platform: Platform, sandbox: Sandbox): Route[] {
  const where = (id: string): Where => (id.startsWith('E') ? { enterpriseId: id } : { teamId: id });

  function act(path: string, back: string, run: (visit: Visit, form: URLSearchParams) => unknown): Route {
    return {
      on: `POST /client/:team${path}`,
      handle(exchange, { team = '' }) {
        const visit = readVisit(platform, exchange, team);
        if (!visit) return jsonReply({ ok: false, error: 'no such workspace' }, 404);
        return afterForm(`/client/${team}${back}`, () => run(visit, exchange.form));
      },
    };
  }

  return [
    {
      on: 'POST /client/:team/press',
      handle: (exchange, { team = '' }) => press(platform, sandbox, exchange, team),
    },
    act('/messages', '/app/messages', ({ person, workspace }, form) =>
      sandbox.sendMessage({ teamId: workspace.id, userId: person.id, text: form.get('text') ?? '' }),
    ),
    act('/close-modal', '/app', ({ person }) => platform.world.modals.delete(person.id)),
    act('/settings/remove', '/settings', (_visit, form) => sandbox.uninstall(where(form.get('place') ?? ''))),
    act('/settings/revoke', '/settings', (_visit, form) => {
      const installation = platform.world.installations.get(form.get('installation') ?? '');
      if (!installation) return;
      const place = where(placeKey(installation));
      if (form.get('kind') === 'bot') return sandbox.revokeBot(place);
      return sandbox.revokeUser({ ...place, userId: form.get('user') ?? '' });
    }),
    act('/settings/open', '/settings', ({ workspace }, form) =>
      sandbox.grantAccess({ enterpriseId: workspace.enterpriseId ?? '', teamIds: [form.get('team') ?? ''] }),
    ),
    act('/settings/close', '/settings', ({ workspace }, form) =>
      sandbox.revokeAccess({ enterpriseId: workspace.enterpriseId ?? '', teamIds: [form.get('team') ?? ''] }),
    ),
    act('/settings/approval', '/settings', ({ workspace }, form) =>
      sandbox.requireApproval({ teamId: workspace.id, isRequired: form.get('required') === 'yes' }),
    ),
    act('/settings/approve', '/settings', ({ workspace }) => sandbox.approve({ teamId: workspace.id })),
  ];
}

const surfaces = ['home', 'message', 'modal'] as const;

/**
 * A press from the page's script. The answer is JSON, so that the page can report that the app did not accept the
 * press.
 */
async function press(platform: Platform, sandbox: Sandbox, exchange: Exchange, team: string): Promise<Reply> {
  const visit = readVisit(platform, exchange, team);
  if (!visit) return jsonReply({ ok: false, error: 'no such workspace' }, 404);
  const { form } = exchange;
  const chosen = form.get('chosen');
  const entered = form.get('entered');
  try {
    const delivery = await sandbox.press({
      teamId: team,
      userId: visit.person.id,
      actionId: form.get('action') ?? '',
      blockId: form.get('block') || undefined,
      where: surfaces.find((each) => each === form.get('surface')),
      messageTs: form.get('ts') || undefined,
      entered: entered ? (JSON.parse(entered) as Record<string, Record<string, unknown>>) : undefined,
      chosen: chosen ? (JSON.parse(chosen) as Record<string, unknown>) : undefined,
    });
    return jsonReply({ ok: delivery.outcome === 'acknowledged', outcome: delivery.outcome });
  } catch (error) {
    return jsonReply({ ok: false, error: error instanceof Error ? error.message : String(error) }, 409);
  }
}
