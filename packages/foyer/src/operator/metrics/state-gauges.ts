import { Counter, Gauge, type Registry } from 'prom-client';
import type { Job } from '../../chores/jobs.ts';
import { isInTrouble, readJobs } from '../../chores/read-jobs.ts';
import type { Logger } from '../../config/log.ts';
import type { Database } from '../../database/database.ts';
import { lastBackupAt } from '../../database/last-backup.ts';
import { readMaintenance } from '../../database/maintenance.ts';
import { countUndelivered, noticeChannels } from '../../database/notices.ts';
import { listUnknownTeams } from '../../database/unknown-teams.ts';
import { countHeld, readInstallationCounts } from '../kept-counts.ts';
import { readQueueState } from '../queue-state.ts';
import { countTokensAtRisk, lapsingWithinMs } from '../token-times.ts';

/**
 * Adds the gauges whose values come from the database. Call the returned function before each scrape: it reads all
 * values, using indexes. If the database does not answer, the function removes these gauges from the scrape and sets
 * `foyer_database_up` to 0. It never rejects, so that all other metrics are still reported.
 */
export function addStateGauges(deps: {
  registry: Registry;
  database: Database;
  clientId: string;
  jobs: readonly Pick<Job, 'name' | 'everyMs'>[];
  now: () => number;
  log: Logger;
}): () => Promise<void> {
  const { registry, database, clientId, jobs, now, log } = deps;
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name, help, labelNames, registers });

  const gauges = {
    queued: gauge('foyer_queue_runs', 'Unfinished runs, by status', ['status']),
    due: gauge('foyer_queue_due_runs', 'Due runs that no worker has taken yet'),
    oldest: gauge('foyer_queue_oldest_due_seconds', 'How long the oldest due run has waited for a worker'),
    installations: gauge('foyer_installations', 'Installations by status', ['status']),
    held: gauge(
      'foyer_installations_held',
      'Broken installations that Slack calls inactive; Foyer does not uninstall them, since the app may be suspended',
    ),
    lapsing: gauge('foyer_tokens_lapsing', 'Tokens that expire within an hour and were not refreshed'),
    unstored: gauge(
      'foyer_tokens_unstored',
      'Install requests whose tokens still have to be revoked at Slack',
    ),
    maintenance: gauge('foyer_maintenance', 'Whether installs are paused by `maintenance on`'),
    undelivered: gauge(
      'foyer_notices_undelivered',
      'Messages to the operators that could not be sent yet; Foyer tries again',
      ['channel'],
    ),
    backup: gauge(
      'foyer_backup_timestamp_seconds',
      'When the backup command last made a verified backup of this database; 0 if it never did',
    ),
    size: gauge('foyer_database_size_bytes', 'The size of the database on disk, with its WAL'),
    pool: gauge(
      'foyer_database_connections',
      'Connections of this process to the database server, by state: busy or idle. State waiting: callers that wait for one; most: the limit',
      ['state'],
    ),
    diskSize: gauge('foyer_disk_size_bytes', 'The size of the disk that holds the SQLite file'),
    diskFree: gauge(
      'foyer_disk_free_bytes',
      'How much Foyer can still write to the disk that holds the SQLite file',
    ),
    unknown: gauge(
      'foyer_unknown_teams',
      'Teams that Slack sends events for although they have no installation here',
    ),
    troubled: gauge(
      'foyer_jobs_troubled',
      'Jobs whose last turn failed or was interrupted, or that are overdue',
    ),
  };
  const up = gauge('foyer_database_up', 'Whether the database answered when these metrics were read');

  // The gauges below do not come from the database: they are reported even while it does not answer.
  new Gauge({
    name: 'foyer_time_seconds',
    help: 'The clock of this machine, for comparison with the clock of Prometheus',
    registers,
    collect() {
      this.set(now() / 1000);
    },
  });
  new Counter({
    name: 'foyer_database_damage_total',
    help: 'Statements that failed because a page of the database is damaged',
    registers,
    collect() {
      this.reset();
      this.inc(database.damageSeen());
    },
  });

  async function readState(): Promise<void> {
    const { queries } = database;
    const queue = await readQueueState(queries, { clientId, now: now() });
    for (const status of ['queued', 'running', 'waiting'] as const)
      gauges.queued.set({ status }, queue[status]);
    gauges.due.set(queue.due);
    gauges.oldest.set(queue.oldestDueAt === null ? 0 : Math.max(0, (now() - queue.oldestDueAt) / 1000));
    const counts = await readInstallationCounts(queries, { clientId, now: now() });
    for (const status of ['active', 'broken', 'uninstalled'] as const)
      gauges.installations.set({ status }, counts[status]);
    gauges.held.set(await countHeld(queries, clientId));
    const tokens = await countTokensAtRisk(queries, { clientId, before: now() + lapsingWithinMs });
    gauges.lapsing.set(tokens.lapsingBots + tokens.lapsingUsers);
    gauges.unstored.set(tokens.unstored);
    gauges.unknown.set((await listUnknownTeams(queries, { clientId, now: now() })).length);
    gauges.troubled.set((await readJobs(queries, { clientId, jobs, now: now() })).filter(isInTrouble).length);
    gauges.maintenance.set((await readMaintenance(queries, clientId)) === undefined ? 0 : 1);
    const notices = await countUndelivered(queries, { clientId, now: now() });
    for (const channel of noticeChannels) gauges.undelivered.set({ channel }, notices[channel]);
    gauges.backup.set(((await lastBackupAt(queries)) ?? 0) / 1000);
    await readSize();
  }

  async function readSize(): Promise<void> {
    const measured = await database.measure();
    gauges.size.set(measured.bytes);
    for (const state of ['busy', 'idle', 'waiting', 'most'] as const)
      gauges.pool.set({ state }, measured.pool[state]);
    // If the database runs on a database server, Foyer cannot measure the disk of that server. Foyer then removes both
    // disk metrics, so that no alert about the disk fires.
    if (!measured.disk) for (const each of [gauges.diskSize, gauges.diskFree]) each.remove();
    else {
      gauges.diskSize.set(measured.disk.bytes);
      gauges.diskFree.set(measured.disk.freeBytes);
    }
  }

  return async function readStateGauges() {
    try {
      await readState();
      up.set(1);
    } catch (error) {
      log.warn({ err: error }, 'the metrics could not be read from the database');
      // Removes the values of the last scrape: they must not look current.
      for (const each of Object.values(gauges)) {
        each.reset();
        each.remove({});
      }
      up.set(0);
    }
  };
}
