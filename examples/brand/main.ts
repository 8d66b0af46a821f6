import { defineFoyer, serve } from 'slack-foyer';
import { brand } from './brand.ts';
import { texts } from './texts.ts';

// Another app's face on the same install flow: `npm run demo -- --brand examples/brand` shows it.

await serve(defineFoyer({ manifest: new URL('./manifest.json', import.meta.url), brand, texts }));
