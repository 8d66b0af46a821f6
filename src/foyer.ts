import { builtInSteps, defineFoyer } from 'slack-foyer';
import { addListeners } from './listeners.ts';

/** What this app is. The server (`main.ts`) and the command line (`cli.ts`) share it. */
export const definition = defineFoyer({
  manifest: new URL('../manifest.json', import.meta.url),
  install: builtInSteps(),
  listeners: addListeners,
});
