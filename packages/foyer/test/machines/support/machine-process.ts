import { parseConfig } from '../../../src/config/config.ts';
import { createLogger } from '../../../src/config/log.ts';
import { startFoyer } from '../../../src/serve.ts';
import { fixtureManifest } from '../../support/fixture-manifest.ts';

/** Foyer in its own process, which is killed: its leases expire after a second and a half, not thirty. */
const config = parseConfig(process.env, fixtureManifest);
const foyer = await startFoyer(config, createLogger(config), { worker: { leaseMs: 1500, pollMs: 100 } });
process.once('SIGTERM', () => void foyer.stop().then(() => process.exit(0)));
