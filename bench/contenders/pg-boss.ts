import { PgBoss } from 'pg-boss';
import { installationOf } from '../seed/bench-installation.ts';
import { present } from './contender.ts';
import { recordsInPostgres } from './hook-records.ts';
import { createInlineHooks } from './inline-hooks.ts';

/**
 * pg-boss on Postgres: each worker fetches one job, executes it and marks it as complete, and only then fetches the
 * next. With HOOKS=inline, a job does all that Foyer's pipeline does, in one attempt; otherwise it does nothing.
 */
const { POSTGRES_URL = '', SLACK_API_URL = '', HOOKS, WORKERS = '1' } = process.env;
const queue = 'installs';
const boss = new PgBoss({ connectionString: POSTGRES_URL, supervise: false, schedule: false });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue(queue);
const records = HOOKS === 'inline' ? await recordsInPostgres(POSTGRES_URL) : undefined;
const hooks = records && createInlineHooks({ records, apiUrl: SLACK_API_URL });

interface Job {
  team: number;
}

async function workOff(): Promise<void> {
  for (;;) {
    const [job] = await boss.fetch<Job>(queue);
    if (!job) return;
    await hooks?.welcome(installationOf(job.data.team));
    await boss.complete(queue, job.id);
  }
}

present({
  port: 0,
  answers: {
    async queue(argument) {
      const { first, count } = argument as { first: number; count: number };
      const jobs = Array.from({ length: count }, (_, index) => ({ data: { team: first + index } }));
      await boss.insert(queue, jobs);
    },
    /** Executes all queued jobs, and returns how many milliseconds that took. */
    async work() {
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: Number(WORKERS) }, workOff));
      return performance.now() - startedAt;
    },
  },
  async stop() {
    await records?.close();
    await boss.stop();
  },
});
