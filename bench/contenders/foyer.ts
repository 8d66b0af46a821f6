import { registerHooks } from 'node:module';
import { createCounter, present } from './contender.ts';

/**
 * Foyer as `npm start` runs it, with one listener more: `foyer-listeners.ts` takes the place of `listeners.ts`, as if a
 * developer had added a listener there. Everything else is what stands in `src/`.
 */
const listeners = new URL('./foyer-listeners.ts', import.meta.url).href;
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const isTheirs = found.url.endsWith('/src/receiver/listeners.ts') && context.parentURL !== listeners;
    return isTheirs ? { ...found, url: listeners } : found;
  },
});

const { readConfig } = await import('../../packages/foyer/src/config/config.ts');
const { createLogger } = await import('../../packages/foyer/src/config/log.ts');
const { startFoyer } = await import('../../packages/foyer/src/start-foyer.ts');
const { onListenersEnded } = await import('./foyer-listeners.ts');

const config = readConfig();
const foyer = await startFoyer(config, createLogger(config));
const { note, settled } = createCounter();
onListenersEnded(note);

present({ port: foyer.address.port, answers: { settled }, stop: () => foyer.stop() });
