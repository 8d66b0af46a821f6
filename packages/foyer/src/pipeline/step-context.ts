import type { WebClient } from '@slack/web-api';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { toStepRecord } from '../database/install-record.ts';
import type { QuestionRecord } from '../database/questions.ts';
import type { ConnectionRow, RunStatus, StepRow, StepStatus } from '../database/records.ts';
import type { ClaimedRun } from '../database/run-leases.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import { postOnce } from './send-once.ts';
import {
  type Json,
  type Step,
  type StepContext,
  StepError,
  type StepFacts,
  type StepServices,
  type StepWrite,
} from './step.ts';

/** Builds what is known as the next attempt of a step begins: `row` is the step's own, `rows` are all of the run's. */
export function stepFacts(
  deps: PipelineDeps,
  { run, installation, installSteps }: Omit<ClaimedRun, 'steps'>,
  known: {
    row: StepRow;
    rows: readonly StepRow[];
    workspaceIds: readonly string[];
    connection: ConnectionRow | undefined;
    /** What the step has asked, by the time of the answer. */
    asked: readonly QuestionRecord[];
  },
): StepFacts {
  const { row, rows, workspaceIds, connection, asked } = known;
  const answered = asked.filter((question) => question.answer !== null);
  const newest = answered.at(-1)?.answer ?? undefined;
  return {
    runId: run.id,
    pipeline: run.pipeline,
    runCreatedAt: run.created_at,
    installationId: installation.id,
    life: run.life,
    clientId: installation.client_id,
    teamId: installation.team_id,
    teamName: installation.team_name,
    enterpriseId: installation.enterprise_id,
    enterpriseName: installation.enterprise_name,
    isEnterpriseInstall: installation.is_enterprise_install === 1,
    workspaceIds,
    workspaceId: workspaceIds.length === 1 ? (workspaceIds[0] ?? null) : null,
    userId: run.user_id,
    appId: installation.app_id,
    botUserId: installation.bot_user_id,
    botScopes: installation.bot_scopes === null ? null : (JSON.parse(installation.bot_scopes) as string[]),
    connection: connection
      ? {
          org: connection.org,
          subject: connection.subject,
          data: connection.data === null ? null : (JSON.parse(connection.data) as Json),
        }
      : null,
    attempt: row.attempts + 1,
    ...(newest !== undefined && { answer: newest }),
    answers: Object.fromEntries(answered.map(({ questionId, answer }) => [questionId, answer ?? ''])),
    earlierSteps: rows.filter((step) => step.position < row.position).map(toStepRecord),
    services: { config: deps.services.config },
    now: deps.now,
    output: (step) => outputOf(rows, step) ?? outputOf(installSteps, step),
  };
}

/** Builds what one attempt of a step is given. */
export function stepContext(
  deps: PipelineDeps,
  facts: StepFacts,
  { stepName, signal, writes }: { stepName: string; signal: AbortSignal; writes: StepWrite[] },
): StepContext {
  const makeClient = async (limits?: { timeoutMs?: number }) =>
    deps.slackClient(await deps.botToken(facts.installationId), { ...limits, signal });
  let client: Promise<WebClient> | undefined;
  const context: Omit<StepContext, 'postOnce'> = {
    ...facts,
    signal,
    // Kysely's types differ in the tables alone, which the app knows.
    write: (work) => void writes.push(work as unknown as StepWrite),
    log: deps.log.child({ runId: facts.runId, step: stepName }),
    services: { ...deps.services, database: deps.database },
    async slack(limits) {
      if (facts.pipeline === 'uninstall') {
        const message = 'An uninstall run has no Slack client: the app’s token is gone';
        throw new StepError('no_token', message, { final: true });
      }
      if (limits) return makeClient(limits);
      client ??= makeClient();
      return client;
    },
  };
  return { ...context, postOnce: (key, message) => postOnce(context, key, message) };
}

/** The output of a step is read back as the type of the step that wrote it. */
function outputOf<Output extends Json>(rows: readonly StepRow[], step: Step<Output>): Output | null {
  const row = rows.find((candidate) => candidate.name === step.name && candidate.status === 'succeeded');
  return row?.output == null ? null : (JSON.parse(row.output) as Output);
}

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
