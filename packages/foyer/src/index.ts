export type { Job, JobTurn } from './chores/jobs.ts';
export { type FoyerConfig, readConfig } from './config/config.ts';
export { ConfigError, type ConfigProblem } from './config/config-error.ts';
export type { ConflictRule } from './connections/commit-connection.ts';
export { ConnectError } from './connections/connect-error.ts';
export type {
  ClaimedWorkspace,
  ClaimingAccount,
  Connection,
  ConnectionList,
  ConnectOptions,
} from './connections/create-connections.ts';
export type { ConnectResult } from './connections/link.ts';
export { createFoyer } from './create-foyer.ts';
export { DatabaseNewerError, DatabaseUnavailableError } from './database/database.ts';
export { OwnMigrationError, type OwnMigrations } from './database/migrate.ts';
export type { FoyerTables, OwnDatabase } from './database/own-database.ts';
export type { MemberRole } from './database/people/members.ts';
export type { Question, QuestionInput } from './database/questions.ts';
export type { Moment } from './database/records.ts';
export { defineFoyer, type FoyerDefinition, type FoyerOptions } from './define-foyer.ts';
export { RepeatEventError } from './events/repeat-event.ts';
export type { Drained, FoundInstallation, Foyer, MemberList, Target, TeamMember } from './foyer.ts';
export type { HomeSection, HomeViewer } from './home/home-sections.ts';
export type { Brand } from './http/brand.ts';
export {
  type Admission,
  allowEnterprises,
  allowTeams,
  type Candidate,
  type Gate,
  onlyAdmins,
  requireScopes,
} from './install/gate.ts';
export { InstallationNotFoundError } from './installations/installation-store.ts';
export { TokenRefreshError } from './installations/token-source.ts';
export {
  type ActingStep as Step,
  ask,
  type Json,
  type OnceMessage,
  type PostedMessage,
  retryIn,
  type StepContext,
  type StepEnd,
  StepError,
  skip,
  unconfirmed,
  waitFor,
} from './pipeline/step.ts';
export { runCommand } from './run-command.ts';
export { serve } from './serve.ts';
export type { RequestWithCookies, SignedInMember as Member } from './signin/find-member.ts';
export { builtInSteps, steps } from './steps/steps.ts';
export type { Language, MessageOverrides, PartialTexts } from './texts/create-texts.ts';
export type { StepTitle } from './texts/languages/en.ts';
