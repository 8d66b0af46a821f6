import type { Job } from '../../chores/jobs.ts';
import { readJobs } from '../../chores/read-jobs.ts';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../database/database.ts';
import { countInstallationRows } from '../../database/erase-installation.ts';
import { readHistory } from '../../database/history.ts';
import { type InstallRecord, installerOf, readInstallRecord } from '../../database/install-record.ts';
import { listChannelTroubles } from '../../database/notices.ts';
import { toPage } from '../../database/page.ts';
import { countMembers, listMembersPage } from '../../database/people/member-lists.ts';
import { prepareMember } from '../../database/people/people.ts';
import type { Pipeline } from '../../database/records.ts';
import { readStepAttempts } from '../../database/run-steps.ts';
import { listRuns, momentKinds } from '../../database/runs.ts';
import { listOperatorSessions } from '../../database/sessions.ts';
import { listUnknownTeams } from '../../database/unknown-teams.ts';
import { operatorTimes } from '../../signin/sessions.ts';
import { listInstallationsPage } from '../installation-lists.ts';
import { countHeld, readDays, readInstallationCounts } from '../kept-counts.ts';
import { readOwnTables } from '../own-tables.ts';
import { withNames } from '../people-names.ts';
import { readFailingInstalls, readRefusedRequests, readUnconfirmedWelcomes } from '../problems.ts';
import { countFailingRuns, readQueueState } from '../queue-state.ts';
import { listInstallRequests, requesterOf } from '../request-lists.ts';
import { countTokensAtRisk, lapsingWithinMs, readTokenTimes } from '../token-times.ts';
import { confirmPage } from './confirm-page.ts';
import { installationPage, shownHistory, shownPeople } from './installation-page.ts';
import { installationStatuses, installationsPage, runStatuses } from './installations-page.ts';
import { cursorOf } from './list-address.ts';
import type { OperatorFrame } from './operator-page.ts';
import { overviewPage, refusedDays } from './overview-page.ts';
import { peoplePage } from './people-page.ts';
import { requestOutcomes, requestsPage } from './requests-page.ts';
import { sessionsPage, sessionsPath } from './sessions-page.ts';

/** Returns the HTML of one page, from data that has already been read. */
type OperatorView = (frame: OperatorFrame) => string;

const rowsPerPage = 50;
const shownRuns = 10;
const shownFailing = 5;
const dayMs = 86_400_000;

/** Creates the functions that read the data of the pages. They write nothing. */
export function createOperatorViews(deps: {
  config: Config;
  database: Database;
  jobs: readonly Pick<Job, 'name' | 'everyMs'>[];
  now: () => number;
}) {
  const { config, now } = deps;
  const { queries } = deps.database;
  const { clientId } = config.slack;
  const readMember = prepareMember(deps.database);

  async function overview(): Promise<OperatorView> {
    const failing = {
      clientId,
      runStatus: 'failed',
      statuses: ['active', 'broken'],
      limit: shownFailing,
    } as const;
    const installations = await readInstallationCounts(queries, { clientId, now: now() });
    const days = await readDays(queries, { clientId, now: now() });
    const broken = { clientId, statuses: ['broken'], limit: shownFailing } as const;
    const content = {
      installations,
      broken: {
        newest: installations.broken > 0 ? (await listInstallationsPage(queries, broken)).rows : [],
        count: installations.broken,
      },
      held: await countHeld(queries, clientId),
      unconfirmed: await readUnconfirmedWelcomes(queries, { clientId, limit: shownFailing }),
      failingInstalls: await readFailingInstalls(queries, { clientId, now: now() }),
      refused: await readRefusedRequests(queries, {
        clientId,
        from: now() - refusedDays * dayMs,
        limit: shownFailing,
      }),
      failing: {
        newest: (await listInstallationsPage(queries, failing)).rows,
        count: await countFailingRuns(queries, clientId),
      },
      queue: await readQueueState(queries, { clientId: config.slack.clientId, now: now() }),
      tokens: await countTokensAtRisk(queries, { clientId, before: now() + lapsingWithinMs }),
      unknownTeams: await listUnknownTeams(queries, { clientId, now: now() }),
      days: days.requests,
      jobs: await readJobs(queries, { clientId, jobs: deps.jobs, now: now() }),
      channelTroubles: await listChannelTroubles(queries, clientId),
      welcomes: days.welcomes,
    };
    return (frame) => overviewPage(frame, content);
  }

  async function installations(query: URLSearchParams): Promise<OperatorView> {
    const text = query.get('q')?.trim().slice(0, 100) || undefined;
    const status = oneOf(installationStatuses, query.get('status'));
    const runStatus = oneOf(runStatuses, query.get('run'));
    const page = await listInstallationsPage(queries, {
      clientId,
      text,
      statuses: status && [status],
      runStatus,
      limit: rowsPerPage,
      cursor: cursorOf(query),
    });
    const rows = await withNames(queries, clientId, page.rows, installerOf);
    const filters = { q: text, status, run: runStatus };
    return (frame) => installationsPage(frame, { filters, page: { ...page, rows } });
  }

  async function requests(query: URLSearchParams): Promise<OperatorView> {
    const day = startOfDay(query.get('day'));
    const teamId = query.get('team')?.trim().toUpperCase().slice(0, 40) || undefined;
    const outcome = oneOf(requestOutcomes, query.get('outcome'));
    const cursor = cursorOf(query);
    const found = await listInstallRequests(queries, {
      clientId,
      teamId,
      outcome,
      cursor,
      limit: rowsPerPage + 1,
      ...(day !== undefined && { from: day, before: day + dayMs }),
    });
    const positionOf = ({ startedAt: at, id }: (typeof found)[number]) => ({ at, id });
    const page = toPage(found, { limit: rowsPerPage, cursor, positionOf });
    const shownDay = day === undefined ? undefined : new Date(day).toISOString().slice(0, 10);
    const rows = await withNames(queries, clientId, page.rows, requesterOf);
    const filters = { day: shownDay, team: teamId, outcome };
    return (frame) => requestsPage(frame, { filters, page: { ...page, rows } });
  }

  async function installation(record: InstallRecord): Promise<OperatorView> {
    const runs = async (pipelines: readonly Pipeline[]) =>
      Promise.all(
        (await listRuns(queries, record.id, shownRuns, pipelines)).map(async (run) => ({
          run,
          attempts: await readStepAttempts(queries, run.id),
        })),
      );
    const content = {
      record,
      runs: await runs(['install', 'uninstall']),
      moments: await runs(momentKinds),
      people: (await listMembersPage(queries, record, { limit: shownPeople })).rows,
      peopleCount: await countMembers(queries, record),
      installer: (await readMember(record, record.installerUserId))?.profile,
      history: await readHistory(queries, record.id, shownHistory + 1),
      tokens: await readTokenTimes(queries, record.id),
      requestedScopes: config.slack.botScopes,
      optionalScopes: config.slack.optionalBotScopes,
    };
    return (frame) => installationPage(frame, content);
  }

  async function sessions(): Promise<OperatorView> {
    const usedSince = now() - operatorTimes.idleMs;
    const beganAfter = now() - operatorTimes.lifetimeMs;
    const found = await listOperatorSessions(queries, { clientId, usedSince });
    const valid = found.filter((session) => session.began_at > beganAfter);
    return (frame) => sessionsPage(frame, valid);
  }

  async function people(record: InstallRecord, query: URLSearchParams): Promise<OperatorView> {
    const text = query.get('q')?.trim().slice(0, 100) || undefined;
    const cursor = cursorOf(query);
    const page = await listMembersPage(queries, record, { text, limit: rowsPerPage, cursor });
    const total = await countMembers(queries, record);
    return (frame) => peoplePage(frame, { record, filters: { q: text }, page, total });
  }

  async function confirmation(record: InstallRecord, action: 'mark-gone' | 'purge'): Promise<OperatorView> {
    const users = await countMembers(queries, record);
    const rows = { users, ...(await countInstallationRows(queries, record.id)) };
    const ownTables = await readOwnTables(queries);
    return (frame) => confirmPage(frame, { action, record, rows, ownTables });
  }

  return {
    /** Reads the data of the page at a path; undefined if there is no such page. @throws DatabaseUnavailableError */
    async find(path: string, query: URLSearchParams): Promise<OperatorView | undefined> {
      if (path === '/operator') return overview();
      if (path === '/operator/installations') return installations(query);
      if (path === '/operator/requests') return requests(query);
      if (path === sessionsPath) return sessions();
      const [, id, part] = /^\/operator\/installations\/(\w{1,100})(?:\/([\w-]+))?$/.exec(path) ?? [];
      const record = id === undefined ? undefined : await readInstallRecord(queries, id);
      // Apps that share a database do not see each other's installations.
      if (record?.clientId !== clientId) return undefined;
      if (part === undefined) return installation(record);
      if (part === 'people') return people(record, query);
      return part === 'purge' || part === 'mark-gone' ? confirmation(record, part) : undefined;
    },
  };
}

function oneOf<T extends string>(known: readonly T[], given: string | null): T | undefined {
  return known.find((value) => value === given);
}

/** Returns the first millisecond of a day such as 2026-11-22; undefined for anything else. */
function startOfDay(text: string | null): number | undefined {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) ? undefined : at;
}
