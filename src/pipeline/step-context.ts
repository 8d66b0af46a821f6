import { toStepRecord } from '../database/installations/install-record.ts';
import type { StepRow } from '../database/records.ts';
import type { ClaimedRun } from '../database/runs/read-claimed-run.ts';
import type { StepToDo } from './advance-run.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { Json, Step, StepContext } from './step.ts';

/** Builds what one attempt of a step is given: `row` is the step's own, `rows` are all of the run's. */
export function stepContext(
  deps: PipelineDeps,
  claimed: ClaimedRun,
  { row, rows, workspaceIds }: Pick<StepToDo, 'row' | 'rows' | 'workspaceIds'>,
  signal: AbortSignal,
): StepContext {
  const { run, installation } = claimed;
  return {
    runId: run.id,
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
    attempt: row.attempts,
    earlierSteps: rows.filter((step) => step.position < row.position).map(toStepRecord),
    signal,
    log: deps.log.child({ runId: run.id, step: row.name }),
    services: { ...deps.services, database: deps.database },
    now: deps.now,
    async slack(limits) {
      return deps.slackClient(await deps.botToken(installation.id), { ...limits, signal });
    },
    output: (step) => outputOf(rows, step),
  };
}

/** The output of a step is read back as the type of the step that wrote it. */
function outputOf<Output extends Json>(rows: readonly StepRow[], step: Step<Output>): Output | null {
  const row = rows.find((candidate) => candidate.name === step.name && candidate.status === 'succeeded');
  return row?.output == null ? null : (JSON.parse(row.output) as Output);
}
