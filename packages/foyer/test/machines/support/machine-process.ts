import { parseConfig } from '../../../src/config/config.ts';
import { createLogger } from '../../../src/config/log.ts';
import { startFoyer } from '../../../src/serve.ts';
import { fixtureManifest } from '../../support/fixture-manifest.ts';

/** Runs Foyer in a separate process, which the tests kill. Its leases expire after 1.5 seconds instead of thirty. */
const config = parseConfig(process.env, fixtureManifest);
const foyer = await startFoyer(config, createLogger(config), { worker: { leaseMs: 1500, pollMs: 100 } });
process.once('SIGTERM', () => void foyer.stop().then(() => process.exit(0)));
