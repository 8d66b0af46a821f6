import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import type { RunStatus, StepStatus } from '../database/records.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import type { Step, StepServices } from './step.ts';

/** What runs are executed with. */
export interface PipelineDeps {
  database: Database;
  /** Of the install pipeline. */
  steps: readonly Step[];
  /** Of the uninstall pipeline; none unless given. */
  uninstallSteps?: readonly Step[];
  services: Omit<StepServices, 'database'>;
  slackClient: SlackClientFactory;
  /** The bot's token of this moment, refreshed where that is needed. */
  botToken(installationId: string): Promise<string>;
  /** Slack said that the bot's token will never work again. Called after the step's end was committed. */
  onTokenDead(dead: { installationId: string; code: string }): Promise<void>;
  /** A run began to wait or ended: App Home has something new to show. Must not throw. */
  onRunChanged(change: { runId: string; installationId: string; status: RunStatus }): void;
  /** An attempt of a step has ended, and that is committed: where it left the step, and how long it took. Must not throw. */
  onStepEnded?(attempt: { step: string; status: StepStatus; ms: number }): void;
  /** Removes secrets from what is stored of errors and outputs: `createScrubber(config.secrets)`. */
  scrub(text: string): string;
  log: Logger;
  now: () => number;
  /** From 0 up to 1, for the jitter of retries. */
  random?: () => number;
}
