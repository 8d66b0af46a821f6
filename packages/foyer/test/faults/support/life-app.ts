import { ask, type Foyer, type FoyerDefinition, type Job, type Step, StepError } from '../../../src/index.ts';
import { fixtureManifest } from '../../support/fixture-manifest.ts';

/**
 * An app for the tests that kill Foyer. It bills its customers from install to uninstall: its steps and its job call a
 * billing system over HTTP, and record in `ledger` what they have done. The ledger accepts duplicate lines, so a test
 * notices if a step or one execution of the job is committed twice.
 */

export interface LedgerTables {
  ledger: { id: string; line: string };
}

const title = { todo: 'Bill', doing: 'Billing' };
export const plans = [
  { value: 'free', label: 'Free' },
  { value: 'team', label: 'For a team' },
];

/** Makes the definition. The steps and the job post to `billingUrl`; without `jobMs` there is no job. */
export function lifeDefinition(billingUrl: string, jobMs?: string): FoyerDefinition<LedgerTables> {
  async function bill(text: string, signal: AbortSignal): Promise<void> {
    const response = await fetch(billingUrl, { method: 'POST', body: JSON.stringify({ text }), signal });
    if (response.ok) return;
    const final = response.status === 402;
    throw new StepError(`billing_${response.status}`, 'The billing system refused', { final });
  }
  const line = (text: string) => ({ id: crypto.randomUUID(), line: text });

  /** An uninstall step: calls the billing system, and commits a line of the ledger together with the step's outcome. */
  const uninstallStep = (name: string): Step => ({
    name,
    title,
    async run({ installationId, life, signal, write }) {
      const text = `${name} ${installationId}/${life}`;
      await bill(text, signal);
      write<LedgerTables>((tx) => tx.insertInto('ledger').values(line(text)).execute());
      return null;
    },
  });
  /**
   * A step for `upgraded`, `opened` and `workspaceGranted` runs. It does the same as `uninstallStep`, but the line
   * that it adds to the ledger names the workspace that was granted access, or else the person.
   */
  const momentStep = (name: string): Step => ({
    name,
    title,
    async run({ moment, userId, installationId, life, signal, write }) {
      const about = moment?.kind === 'workspaceGranted' ? moment.teamId : userId;
      const text = `${name} ${moment?.kind} ${about} ${installationId}/${life}`;
      await bill(text, signal);
      write<LedgerTables>((tx) => tx.insertInto('ledger').values(line(text)).execute());
      return null;
    },
  });
  const moment = [momentStep('first'), momentStep('second')];
  const choosePlan: Step = {
    name: 'choose-plan',
    title,
    async run({ answer, teamId, signal, postOnce, write }) {
      if (answer === undefined)
        return ask({ id: 'plan', text: 'Which plan?', input: { type: 'choice', options: plans } });
      await bill(`plan ${teamId} ${answer}`, signal);
      await postOnce('plan', { text: `Your plan: ${answer}` });
      write<LedgerTables>((tx) =>
        tx
          .insertInto('ledger')
          .values(line(`plan ${teamId} ${answer}`))
          .execute(),
      );
      return answer;
    },
  };
  const job: Job<Foyer<LedgerTables>> = {
    name: 'bill',
    everyMs: Number(jobMs ?? 1000),
    async run({ foyer, dueAt, signal }) {
      await bill(`turn ${dueAt}`, signal);
      await foyer.database.write((tx) =>
        tx
          .insertInto('ledger')
          .values(line(`turn ${dueAt}`))
          .execute(),
      );
    },
  };
  return {
    manifest: JSON.parse(fixtureManifest),
    install: [choosePlan],
    uninstall: [uninstallStep('close-books'), uninstallStep('cancel-plan')],
    upgraded: moment,
    opened: moment,
    workspaceGranted: moment,
    jobs: jobMs === undefined ? [] : [job],
    migrations: {
      '0001-ledger': {
        up: (db) =>
          db.schema
            .createTable('ledger')
            .addColumn('id', 'text', (column) => column.primaryKey())
            .addColumn('line', 'text', (column) => column.notNull())
            .execute(),
      },
    },
  };
}
