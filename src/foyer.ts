import { builtInSteps, defineFoyer } from 'slack-foyer';
import { brand } from './brand.ts';
import { sections } from './home.ts';
import { addListeners } from './listeners.ts';
import { m0001Greetings } from './migrations/0001-greetings.ts';
import { startCounting } from './steps/start-counting.ts';
import type { Tables } from './tables.ts';
import { texts } from './texts.ts';

/** The definition of this app. The server (`main.ts`) and the command line (`cli.ts`) share it. */
export const definition = defineFoyer<Tables>({
  manifest: new URL('../manifest.json', import.meta.url),
  // `chooseChannel` in src/steps/ is a step that asks the installer a question: add it here to try it.
  install: [...builtInSteps(), startCounting],
  listeners: addListeners,
  home: { sections },
  texts,
  brand,
  migrations: { '0001-greetings': m0001Greetings },
});
