import type { ControlOptions } from '../control/control-bodies.ts';
import type { Platform } from '../platform.ts';
import { optionalScopes, readAuthorizeRequest } from './authorize-request.ts';
import { submitConsent } from './oauth-routes.ts';

export type ConsentOptions = ControlOptions<'consent'>;

/** Fills in the consent form and sends it, without a browser. Throws if the page would not send the browser back. */
export function consentFor(platform: Platform, choice: ConsentOptions): string {
  const form = new URLSearchParams(new URL(choice.authorizeUrl).searchParams);
  form.set('user', choice.userId);
  form.set('place', choice.enterpriseId ?? choice.teamId ?? '');
  form.set('decision', choice.decision ?? 'allow');
  const read = readAuthorizeRequest(platform.app, form);
  if ('problem' in read) throw new Error(`${read.problem.code}: ${read.problem.explanation}`);
  for (const scope of optionalScopes(platform.app.settings, read.request)) {
    if (!choice.declinedScopes?.includes(scope)) form.append('optional_scope', scope);
  }
  const outcome = submitConsent(platform, form);
  if (outcome.kind === 'redirect') return outcome.location;
  throw new Error(
    outcome.kind === 'refused' ? outcome.explanation : 'The admins of this workspace must approve first.',
  );
}
