import { defineFoyer, serve } from 'slack-foyer';

// The Foyer that runs beside the product in host.py: a service of its own.
await serve(defineFoyer({ manifest: new URL('../manifest.json', import.meta.url) }));
