import type { Config } from '../config/config.ts';
import { clientAddress } from '../http/client-address.ts';
import type { Refusals } from '../http/count-refusals.ts';
import type { Route } from '../http/create-server.ts';
import type { SendPages } from '../http/send-pages.ts';

/** When browsers and Slack's crawlers should come back: no one knows when a maintenance ends. */
const retryAfterSeconds = 300;

/**
 * Makes the guard of the install flow's routes during maintenance: 503 with a page. A callback is refused before its
 * state and its code are used, so that the same page, loaded again, still finishes the install. Events are not guarded.
 */
export function createPauseInstalls(deps: {
  isInMaintenance: () => Promise<boolean>;
  http: Pick<Config['http'], 'trustProxy' | 'basePath'>;
  pages: Pick<SendPages, 'sendFailure'>;
  refusals: Pick<Refusals, 'add'>;
}): (route: Route) => Route {
  return (route) => async (req, res) => {
    if (!(await deps.isInMaintenance())) return route(req, res);
    deps.refusals.add('maintenance', clientAddress(req, deps.http.trustProxy));
    // A form cannot be loaded again.
    const path = req.method === 'POST' ? `${deps.http.basePath}/` : undefined;
    deps.pages.sendFailure(res, { kind: 'maintenance', path, retryAfterSeconds }, { Connection: 'close' });
  };
}
