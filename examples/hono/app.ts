import { Hono } from 'hono';
import { createFoyer, defineFoyer } from 'slack-foyer';

// For Hono, Bun and any other server that uses web-standard requests: Foyer answers a Request with a Response.

const manifest = new URL('../manifest.json', import.meta.url);
export const foyer = await createFoyer(defineFoyer({ manifest, basePath: '/integrations/slack' }));

/**
 * The app, for `serve(app)` of @hono/node-server, or for Bun. If the process keeps running between requests, also call
 * `foyer.start()`.
 */
export const app = new Hono();
app.get('/', (context) => context.text('Hono'));
app.all('/integrations/slack', (context) => foyer.fetch(context.req.raw));
app.all('/integrations/slack/*', (context) => foyer.fetch(context.req.raw));
