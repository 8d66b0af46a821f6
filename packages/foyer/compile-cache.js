import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Makes Node cache compiled code, and TypeScript without its types, between starts. This saves a third of the start-up
 * time. Node must load this file before everything else (`node --import`). The file is JavaScript, because for a
 * TypeScript file Node would load its type stripper at each start. If Node cannot write to the folder, it caches
 * nothing and reports no error.
 */
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)));
