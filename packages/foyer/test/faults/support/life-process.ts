import { parseConfig } from '../../../src/config/config.ts';
import { createLogger } from '../../../src/config/log.ts';
import { startFoyer } from '../../../src/serve.ts';
import { fixtureManifest } from '../../support/fixture-manifest.ts';
import { lifeDefinition } from './life-app.ts';

/** Runs the app of `life-app.ts` in a separate process, which the tests kill. */
const config = parseConfig(process.env, fixtureManifest);
const definition = lifeDefinition(process.env.BILLING_URL ?? '', process.env.BILLING_JOB_MS);
const worker = { leaseMs: 3000, pollMs: 200 };
const foyer = await startFoyer(config, createLogger(config), { definition, worker });
process.once('SIGTERM', () => void foyer.stop().then(() => process.exit(0)));
