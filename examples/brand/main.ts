import { defineFoyer, serve } from 'slack-foyer';
import { brand } from './brand.ts';
import { texts } from './texts.ts';

// The same install flow with the look of another app: `npm run demo -- --brand examples/brand` shows it.

await serve(defineFoyer({ manifest: new URL('./manifest.json', import.meta.url), brand, texts }));
