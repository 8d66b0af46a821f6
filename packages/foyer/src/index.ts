export { type FoyerConfig, readConfig } from './config/config.ts';
export { ConfigError, type ConfigFault } from './config/config-error.ts';
export { createFoyer } from './create-foyer.ts';
export { DatabaseNewerError, DatabaseUnavailableError } from './database/database.ts';
export { OwnMigrationError, type OwnMigrations } from './database/migrate.ts';
export type { FoyerTables, OwnDatabase } from './database/own-database.ts';
export { defineFoyer, type FoyerDefinition, type FoyerOptions } from './define-foyer.ts';
export type { Drained, FoundInstallation, Foyer, Target } from './foyer.ts';
export type { HomeSection, HomeViewer } from './home/home-sections.ts';
export { InstallationNotFoundError } from './installations/installation-store.ts';
export { TokenRefreshError } from './installations/token-source.ts';
export {
  type ActingStep as Step,
  type Json,
  retryIn,
  type StepContext,
  type StepEnd,
  StepError,
  type StepTitle,
  skip,
  unconfirmed,
  waitFor,
} from './pipeline/step.ts';
export { runCommand } from './run-command.ts';
export { serve } from './serve.ts';
export { builtInSteps, steps } from './steps/steps.ts';
