import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Loaded before everything else (`node --import`), so that what Node compiles, and TypeScript with its types stripped,
 * is kept from one start to the next: it saves a third of a start. In JavaScript, since to strip the types of this file
 * Node would load what does so at each start. Where the folder cannot be written nothing is kept, and nothing fails.
 */
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)));
