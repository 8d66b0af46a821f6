import { readConfig } from '../../../src/config/config.ts';
import { createLogger } from '../../../src/config/log.ts';
import { startFoyer } from '../../../src/start-foyer.ts';

/** Foyer as a process of its own that is to be killed: its leases lapse after a second and a half, not thirty. */
const config = readConfig();
const foyer = await startFoyer(config, createLogger(config), { worker: { leaseMs: 1500, pollMs: 100 } });
process.once('SIGTERM', () => void foyer.stop().then(() => process.exit(0)));
