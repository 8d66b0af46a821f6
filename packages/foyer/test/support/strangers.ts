import assert from 'node:assert/strict';
import type { Selectable } from 'kysely';
import type { Database, Tx } from '../../src/database/database.ts';
import { foyerTableNames, type Tables } from '../../src/database/records.ts';
import type { Keyring } from '../../src/installations/keyring.ts';
import { keyringOf } from './installations.ts';
import { type Tenant, tenantRows } from './tenant-rows.ts';

/**
 * Why strangers: in a database with the rows of one tenant, a query that forgets to filter by tenant passes every test.
 * So suites add rows of other tenants, and compare them byte for byte at the end of each test.
 *
 * There are three strangers: another workspace of the same app, an org-wide install of the same app, and another app's
 * installation in the workspace that the test uses. Each has rows in every table that has rows of a tenant. All have
 * the same user ids as the test: a user id is unique only together with its tenant. The rows of the other app are so
 * old that a sweep deletes them if it forgets to filter by app. The rows of the same app are from the year 2096, so
 * that no sweep deletes them.
 */

/** Each row of a stranger has this word in one of its columns. */
const mark = 'STRANGER';

const isStranger = (row: object): boolean => JSON.stringify(row).includes(mark);

/** The rows of a table, except those of strangers. */
export async function ownRows<Name extends keyof Tables>(
  { queries }: Pick<Database, 'queries'>,
  table: Name,
): Promise<Selectable<Tables[Name]>[]> {
  const rows = await queries
    .selectFrom(table as keyof Tables)
    .selectAll()
    .execute();
  return rows.filter((row) => !isStranger(row)) as Selectable<Tables[Name]>[];
}

/** What a test can do with the strangers (rows of other tenants) that `inviteStrangers` added to a database. */
export interface Strangers {
  /** Fails if a row that belongs to a stranger was changed, deleted or added. */
  assertUntouched(): Promise<void>;
  /** Deletes the rows of all strangers, for a test that reads or changes rows across tenants. */
  leave(): Promise<void>;
}

const far = 4_000_000_000_000;

/**
 * Adds the strangers to a database. `keyring` encrypts their tokens. If `keyring` is omitted, the test has no key that
 * decrypts the strangers' tokens.
 */
export async function inviteStrangers(
  database: Database,
  test: { clientId?: string; teamId?: string; userIds?: readonly [string, string]; keyring?: Keyring } = {},
): Promise<Strangers> {
  const { clientId = '1.1', teamId = 'T1', userIds = ['U1', 'U2'], keyring = keyringOf('k1') } = test;
  const strangers: Tenant[] = [
    {
      mark: `${mark}_a`,
      clientId,
      teamId: `T${mark}`,
      enterpriseId: null,
      grantsOf: `E${mark}`,
      dueAt: far,
      madeAt: far,
    },
    {
      mark: `${mark}_b`,
      clientId,
      teamId: null,
      enterpriseId: `E${mark}`,
      grantsOf: `E${mark}`,
      dueAt: far,
      madeAt: far,
    },
    {
      mark: `${mark}_c`,
      clientId: `${mark}.9`,
      teamId,
      enterpriseId: null,
      grantsOf: 'E1',
      dueAt: 1000,
      madeAt: 1000,
      endedUntil: far,
    },
  ];
  await database.write(async (tx) => {
    for (const stranger of strangers) await insertTenant(tx, stranger, userIds, keyring);
  });
  const before = await readStrangers(database);
  let areHere = true;
  return {
    async assertUntouched() {
      if (!areHere) return;
      assert.deepEqual(
        await readStrangers(database),
        before,
        'a row that the test did not address has changed',
      );
    },
    async leave() {
      areHere = false;
      await database.write(async (tx) => {
        // Deleting the installation also deletes its rows in all other tables.
        for (const { mark: own, clientId: client_id, teamId: team, enterpriseId } of strangers) {
          await tx.deleteFrom('installations').where('id', '=', `ins_${own}`).execute();
          await tx.deleteFrom('install_requests').where('id', 'like', `req_${own}%`).execute();
          await tx.deleteFrom('used_links').where('jti', '=', `link-${own}`).execute();
          await tx.deleteFrom('sessions').where('id', 'like', `session_${own}%`).execute();
          await tx.deleteFrom('unknown_teams').where('tenant', '=', `team:T${own}`).execute();
          await tx.deleteFrom('team_access').where('team_id', '=', `T${own}`).execute();
          for (const table of ['memberships', 'external_members', 'users', 'teams'] as const)
            await tx
              .deleteFrom(table)
              .where('client_id', '=', client_id)
              .where('team_id', '=', team ?? enterpriseId ?? '')
              .execute();
        }
        await tx.deleteFrom('seen_deliveries').where('key', 'like', `event Ev${mark}%`).execute();
        await tx.deleteFrom('chores').where('name', 'like', `${mark}%`).execute();
        await tx.deleteFrom('ended_sessions').where('id', 'like', `${mark}%`).execute();
      });
      assert.deepEqual(await readStrangers(database), []);
    },
  };
}

/** Inserts the rows of a tenant. */
export async function insertTenant(
  tx: Tx,
  tenant: Tenant,
  userIds: readonly [string, string],
  keyring: Keyring,
): Promise<void> {
  for (const [table, rows] of Object.entries(tenantRows(tenant, userIds, keyring))) {
    await tx
      .insertInto(table as keyof Tables)
      .values(rows)
      .execute();
  }
}

/** Returns the rows that belong to strangers. Each row is a string; the strings are sorted. */
async function readStrangers(database: Database): Promise<string[]> {
  const found: string[] = [];
  for (const table of foyerTableNames) {
    const rows = await database.queries
      .selectFrom(table as keyof Tables)
      .selectAll()
      .execute();
    for (const row of rows)
      if (isStranger(row)) found.push(`${table} ${JSON.stringify(Object.entries(row).sort())}`);
  }
  return found.sort();
}
