import middie from '@fastify/middie';
import fastify from 'fastify';
import { createFoyer, defineFoyer } from 'slack-foyer';

// Fastify, through its own middleware plugin: Foyer's paths go to Foyer, all others to Fastify's routes.

const manifest = new URL('../manifest.json', import.meta.url);
const foyer = await createFoyer(defineFoyer({ manifest, basePath: '/integrations/slack' }));

const app = fastify();
await app.register(middie);
app.use(foyer.middleware);
app.get('/', async () => 'Fastify');
await app.listen({ port: Number(process.env.PORT || 3000), host: '127.0.0.1' });
await foyer.start();
