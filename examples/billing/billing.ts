import {
  ask,
  builtInSteps,
  defineFoyer,
  type Foyer,
  type Job,
  type OwnMigrations,
  type Step,
} from 'slack-foyer';

/**
 * Billing from install to uninstall: a trial starts at the install, a question changes the plan, a job bills once a
 * day, and an uninstall cancels. Each step commits its rows and its outcome in one transaction, so neither exists
 * without the other after a crash.
 */

/** The app's own tables. */
export interface BillingTables {
  subscriptions: { installation_id: string; life: number; plan: string; status: 'active' | 'canceled' };
  charges: { installation_id: string; day: string; plan: string };
}

const migrations: OwnMigrations = {
  '0001-billing': {
    async up(db) {
      await db.schema
        .createTable('subscriptions')
        .addColumn('installation_id', 'text', (column) => column.notNull())
        .addColumn('life', 'integer', (column) => column.notNull())
        .addColumn('plan', 'text', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('subscriptions_key', ['installation_id', 'life'])
        .execute();
      await db.schema
        .createTable('charges')
        .addColumn('installation_id', 'text', (column) => column.notNull())
        .addColumn('day', 'text', (column) => column.notNull())
        .addColumn('plan', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('charges_key', ['installation_id', 'day'])
        .execute();
    },
  },
};

/** Starts a trial. Safe to run twice: the key of `subscriptions` allows one row for each life of an installation. */
const startTrial: Step = {
  name: 'start-trial',
  title: { todo: 'Start the trial', doing: 'Starting the trial' },
  async run({ installationId, life, write }) {
    write<BillingTables>((tx) =>
      tx
        .insertInto('subscriptions')
        .values({ installation_id: installationId, life, plan: 'trial', status: 'active' })
        .onConflict((conflict) => conflict.columns(['installation_id', 'life']).doNothing())
        .execute(),
    );
    return null;
  },
};

/** Asks for the plan, and sets the subscription to the answer. Safe to run twice: the second run sets the same plan. */
const choosePlan: Step = {
  name: 'choose-plan',
  title: { todo: 'Choose a plan', doing: 'Choosing a plan' },
  async run({ answer, installationId, life, write, postOnce }) {
    if (answer === undefined) {
      const options = [
        { value: 'free', label: 'Free' },
        { value: 'team', label: 'For a team' },
      ];
      return ask({ id: 'plan', text: 'Which plan do you want?', input: { type: 'choice', options } });
    }
    await postOnce('plan', { text: `Your plan from now on: ${answer}` });
    write<BillingTables>((tx) =>
      tx
        .updateTable('subscriptions')
        .set({ plan: answer })
        .where('installation_id', '=', installationId)
        .where('life', '=', life)
        .execute(),
    );
    return answer;
  },
};

/** Cancels the subscription. Safe to run twice: a canceled subscription stays canceled. */
const cancelPlan: Step = {
  name: 'cancel-plan',
  title: { todo: 'Cancel the plan', doing: 'Canceling the plan' },
  async run({ installationId, life, write }) {
    write<BillingTables>((tx) =>
      tx
        .updateTable('subscriptions')
        .set({ status: 'canceled' })
        .where('installation_id', '=', installationId)
        .where('life', '=', life)
        .execute(),
    );
    return null;
  },
};

/**
 * Bills each active subscription once a day. Safe to run twice: the key of `charges` allows one charge a day for each
 * installation.
 */
const billDaily: Job<Foyer<BillingTables>> = {
  name: 'bill-daily',
  everyMs: 24 * 60 * 60 * 1000,
  async run({ foyer, dueAt, signal, log }) {
    const day = new Date(dueAt).toISOString().slice(0, 10);
    const result = await foyer.eachInstallation({ status: 'active', signal }, ({ installationId }) =>
      foyer.database.write(async (tx) => {
        const subscription = await tx
          .selectFrom('subscriptions')
          .select('plan')
          .where('installation_id', '=', installationId)
          .where('status', '=', 'active')
          .executeTakeFirst();
        if (!subscription) return;
        await tx
          .insertInto('charges')
          .values({ installation_id: installationId, day, plan: subscription.plan })
          .onConflict((conflict) => conflict.columns(['installation_id', 'day']).doNothing())
          .execute();
      }),
    );
    log.info({ ...result, day }, 'billed');
  },
};

export const billing = defineFoyer<BillingTables>({
  manifest: new URL('../manifest.json', import.meta.url),
  install: [...builtInSteps(), startTrial, choosePlan],
  uninstall: [cancelPlan],
  jobs: [billDaily],
  migrations,
});
