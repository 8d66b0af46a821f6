import { engines } from '../support/open-test-database.ts';
import { installationStoreContract } from './installation-store-contract.ts';

for (const [name, open] of Object.entries(engines)) installationStoreContract(name, open);
