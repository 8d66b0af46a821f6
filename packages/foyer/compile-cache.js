import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Makes Node cache its compiled code and its type-stripped TypeScript on disk. Later starts then take a third less
 * time. Node must load this file before everything else (`node --import`). The file is JavaScript, because for a
 * TypeScript file Node would load its type stripper at each start. If Node cannot write to the folder, it caches
 * nothing and reports no error.
 */
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)));
