import { parseConfig } from '../../packages/foyer/src/config/config.ts';
import { createLogger } from '../../packages/foyer/src/config/log.ts';
import { startFoyer } from '../../packages/foyer/src/serve.ts';
import { fixtureManifest } from '../../packages/foyer/test/support/fixture-manifest.ts';
import { addBenchListeners, listenerWork } from './bench-listeners.ts';
import { createCounter, present } from './contender.ts';

/** Foyer as `npm start` runs it, with the bench's listeners in its definition. */
const config = parseConfig(process.env, fixtureManifest);
const { note, settled } = createCounter();
const foyer = await startFoyer(config, createLogger(config), {
  definition: { listeners: (app) => addBenchListeners(app, listenerWork, note) },
});

present({ port: foyer.address.port, answers: { settled }, stop: () => foyer.stop() });
