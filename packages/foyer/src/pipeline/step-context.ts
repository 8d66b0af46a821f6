import type { SpanContext } from '@opentelemetry/api';
import type { WebClient } from '@slack/web-api';
import type { Logger } from '../config/log.ts';
import type { TraceSpan } from '../config/tracing.ts';
import { boundedWrite } from '../database/bounded-write.ts';
import type { Database } from '../database/database.ts';
import { momentOf, toStepRecord } from '../database/install-record.ts';
import { findRequestOfRun } from '../database/install-requests.ts';
import type { QuestionRecord } from '../database/questions.ts';
import type {
  ConnectionRow,
  MomentKind,
  Pipeline,
  RunRow,
  RunStatus,
  StepRow,
  StepStatus,
} from '../database/records.ts';
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

/** Builds the facts for the next attempt of a step: `row` is the step's own row, `rows` are all rows of the run. */
export function stepFacts(
  deps: PipelineDeps,
  { run, installation, installSteps }: Omit<ClaimedRun, 'steps'>,
  known: {
    row: StepRow;
    rows: readonly StepRow[];
    workspaceIds: readonly string[];
    connection: ConnectionRow | undefined;
    /** The questions of the step; the answered ones are in the order of their answers. */
    asked: readonly QuestionRecord[];
  },
): StepFacts {
  const { row, rows, workspaceIds, connection, asked } = known;
  const answered = asked.filter((question) => question.answer !== null);
  const newest = answered.at(-1)?.answer ?? undefined;
  const moment = momentOf(run);
  const only = moment?.kind === 'workspaceGranted' ? [moment.teamId] : workspaceIds;
  return {
    runId: run.id,
    pipeline: run.pipeline,
    ...(moment && { moment }),
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
    workspaceId: only.length === 1 ? (only[0] ?? null) : null,
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

/** Builds the context of one attempt of a step. */
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
    // A safe cast: the two types differ only in the tables that they name, and `work` uses the app's own tables.
    write: (work) => void writes.push((tx) => boundedWrite(tx, work as unknown as StepWrite)),
    log: deps.log.child({ step: stepName }),
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
  // For a moment such as `opened`, each member has a run of their own, and all these runs use the same key for their
  // greeting. So the key of such a run gets the run's id as a prefix.
  const scope = facts.moment ? `${facts.runId}/` : '';
  return { ...context, postOnce: (key, message) => postOnce(context, key, message, scope) };
}

/** Reads the output of a step, as that step's type; null if the step has not succeeded. */
function outputOf<Output extends Json>(rows: readonly StepRow[], step: Step<Output>): Output | null {
  const row = rows.find((candidate) => candidate.name === step.name && candidate.status === 'succeeded');
  return row?.output == null ? null : (JSON.parse(row.output) as Output);
}

/** What the pipeline needs to execute runs. */
export interface PipelineDeps {
  database: Database;
  /** The steps of the install pipeline. */
  steps: readonly Step[];
  /** The steps of the uninstall pipeline; none by default. */
  uninstallSteps?: readonly Step[];
  /** The steps of each moment's pipeline; none by default. */
  momentSteps?: Readonly<Partial<Record<MomentKind, readonly Step[]>>>;
  services: Omit<StepServices, 'database'>;
  slackClient: SlackClientFactory;
  /** The bot's current token, refreshed if needed. */
  botToken(installationId: string): Promise<string>;
  /**
   * Called if Slack's answer to a step says that the bot's token will never work again. Foyer first commits the end of
   * the attempt.
   */
  onTokenDead(dead: { installationId: string; code: string }): Promise<unknown>;
  /** Called when a run starts to wait or ends: App Home then has something new to show. Must not throw. */
  onRunChanged(change: {
    runId: string;
    pipeline: Pipeline;
    installationId: string;
    status: RunStatus;
  }): void;
  /** Traces runs and attempts; without it, no spans are created. */
  span?: TraceSpan;
  /**
   * Finds the callback that each run came from. Without `origins`, log lines have no request id, and `onStepEnded` gets
   * no `sinceCallbackMs`.
   */
  origins?: Pick<ReturnType<typeof createRunOrigins>, 'find' | 'forget'>;
  /**
   * Called after the end of an attempt is committed. `status` is the step's new status, and `ms` is how long the
   * attempt took. `sinceCallbackMs` is the time since the install's callback. It is absent for an org-wide install, a
   * retried run, a run that is not an install, and a run without a known callback. Must not throw.
   */
  onStepEnded?(attempt: { step: string; status: StepStatus; ms: number; sinceCallbackMs?: number }): void;
  /** Removes secrets from errors and outputs before they are stored: `createScrubber(config.secrets)`. */
  scrub(text: string): string;
  log: Logger;
  now: () => number;
  /** Returns a number from 0 to less than 1, for the jitter of retries; `Math.random` by default. */
  random?: () => number;
}

/** The OAuth callback that created a run. */
interface RunOrigin {
  /** The id of the install request, as failure pages show it. */
  requestId: string;
  /** When the callback came, in milliseconds since 1970. */
  callbackAt: number;
  /** The trace of the callback. Absent without tracing, and in processes other than the one that stored the run. */
  trace?: SpanContext;
}

/**
 * The number of runs for which Foyer keeps the callback in memory. For each further run, Foyer forgets the oldest
 * callback. If a run with a forgotten callback continues, Foyer reads the callback from the database.
 */
const mostRemembered = 1000;

/**
 * Remembers which callback each run came from. Why in memory: the process that stores an install's run usually also
 * starts it a moment later, and then needs no query. Another process, or this one after a restart, queries the
 * database.
 */
export function createRunOrigins(deps: { database: Database; clientId: string }) {
  const remembered = new Map<string, RunOrigin>();
  return {
    /** Remembers the origin of a run. Called by the process that has just stored the run. */
    remember(runId: string, origin: RunOrigin): void {
      remembered.set(runId, origin);
      const [oldest] = remembered.keys();
      if (remembered.size > mostRemembered && oldest !== undefined) remembered.delete(oldest);
    },
    /** Finds a run's origin; undefined if no install request led to it. @throws DatabaseUnavailableError */
    async find(run: Pick<RunRow, 'id' | 'created_at' | 'pipeline'>): Promise<RunOrigin | undefined> {
      const known = remembered.get(run.id);
      if (known || run.pipeline !== 'install') return known;
      const { clientId } = deps;
      const search = { clientId, runId: run.id, storedAt: run.created_at };
      const request = await findRequestOfRun(deps.database.queries, search);
      return request && { requestId: request.id, callbackAt: request.started_at };
    },
    /** Forgets a run that has ended. */
    forget: (runId: string) => void remembered.delete(runId),
  };
}
