import { defineFoyer, serve } from 'slack-foyer';

// The Foyer that runs as a separate service next to the product in host.py.
await serve(defineFoyer({ manifest: new URL('../manifest.json', import.meta.url) }));
