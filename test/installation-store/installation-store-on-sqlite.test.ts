import { openTestDatabase } from '../support/open-test-database.ts';
import { installationStoreContract } from './installation-store-contract.ts';

installationStoreContract('SQLite', openTestDatabase);
