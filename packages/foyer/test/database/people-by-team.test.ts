import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { m0001Initial } from '../../src/database/migrations/0001-initial.ts';
import { m0006PeopleByTeam } from '../../src/database/migrations/0006-people-by-team.ts';
import { recordUser, saveProfile } from '../../src/database/people/people.ts';
import { openEmptyDatabase } from '../support/open-empty-database.ts';
import { engines } from '../support/open-test-database.ts';

const people = process.env.FOYER_FULL === '1' ? 1_000_000 : 100_000;

for (const engine of Object.keys(engines) as (keyof typeof engines)[]) {
  describe(`people of several teams, on ${engine}`, () => {
    it(`are split by membership when an older database of ${people} people is updated`, async (t) => {
      const { db, close } = await openEmptyDatabase(engine);
      t.after(close);
      await m0001Initial.up(db);
      const numbers = sql.raw(
        engine === 'SQLite'
          ? `(with recursive n(i) as (select 1 union all select i + 1 from n where i < ${people}) select i from n)`
          : `(select i from generate_series(1, ${people}) i)`,
      );
      await sql`insert into users select '1.1', 'U' || i, 'name' || i, null, 'u' || i || '@x.example', null, null, null, i, i from ${numbers} s`.execute(
        db,
      );
      await sql`insert into memberships select '1.1', 'T' || (i % 1000), 'U' || i, 1, 0, i, i from ${numbers} s`.execute(
        db,
      );
      // Two people are in two workspaces, and a person of another app has the same id.
      await sql`insert into memberships values ('1.1', 'TOTHER', 'U1', 0, 0, 7, 7), ('1.1', 'TOTHER', 'U2', 0, 1, 8, 8), ('2.2', 'T1', 'U1', 0, 0, 9, 9)`.execute(
        db,
      );
      await sql`insert into users values ('2.2', 'U1', 'another app', null, 'u1@app2.example', null, null, null, 9, 9)`.execute(
        db,
      );
      const startedAt = performance.now();
      await m0006PeopleByTeam.up(db);
      t.diagnostic(`${people} people in ${Math.round(performance.now() - startedAt)} ms`);
      const { rows } = await sql<{ n: number | string }>`select count(*) as n from users`.execute(db);
      assert.equal(Number(rows[0]?.n), people + 3);
      const found = await sql<Record<string, unknown>>`
        select u.client_id, u.team_id, u.user_id, u.email, u.first_seen_at, m.updated_at from users u
        join memberships m on m.client_id = u.client_id and m.team_id = u.team_id and m.user_id = u.user_id
        where u.user_id in ('U1', 'U2', 'U3') order by u.client_id, u.user_id, u.team_id`.execute(db);
      const plain = (value: unknown) => (/^\d+$/.test(String(value)) ? Number(value) : value);
      assert.deepEqual(
        found.rows.map((row) => Object.values(row).map(plain)),
        [
          ['1.1', 'T1', 'U1', null, 1, 0],
          ['1.1', 'TOTHER', 'U1', null, 7, 0],
          ['1.1', 'T2', 'U2', null, 2, 0],
          ['1.1', 'TOTHER', 'U2', null, 8, 0],
          ['1.1', 'T3', 'U3', 'u3@x.example', 3, 3],
          ['2.2', 'T1', 'U1', 'u1@app2.example', 9, 9],
        ],
      );
    });

    it('have a separate profile in each team', async (t) => {
      const { database, close } = await engines[engine]();
      t.after(close);
      const told = { clientId: '1.1', userId: 'U1', now: 2 };
      const profile = {
        name: null,
        realName: null,
        timezone: null,
        locale: null,
        avatarUrl: null,
        isOwner: false,
      };
      for (const teamId of ['T1', 'T2', 'E1']) {
        await database.write(async (tx) => {
          const { firstSeenAt } = await recordUser(tx, {
            ...told,
            teamId,
            seenAt: teamId === 'T2' ? 5 : 1,
          });
          assert.equal(firstSeenAt, teamId === 'T2' ? 5 : 1);
          const user = { ...profile, email: `u1@${teamId}`, isAdmin: teamId === 'T1' };
          await saveProfile(tx, { ...told, teamId }, { user, team: null });
        });
      }
      const rows = await database.queries
        .selectFrom('users')
        .select(['team_id', 'email'])
        .orderBy('team_id')
        .execute();
      assert.deepEqual(
        rows.map(({ team_id, email }) => [team_id, email]),
        [
          ['E1', 'u1@E1'],
          ['T1', 'u1@T1'],
          ['T2', 'u1@T2'],
        ],
      );
    });
  });
}
