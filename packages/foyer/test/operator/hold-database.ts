import { createServer } from 'node:http';
import Sqlite from 'better-sqlite3';
import { openSqlite } from '../../src/database/sqlite/open-sqlite.ts';

/**
 * Keeps a database open as a running Foyer does, and holds its write lock, until this process is killed. With
 * `exclusive`, it creates the file and locks it so that no other process can even read it.
 */
const [file = '', how = ''] = process.argv.slice(2);
const locked = how === 'exclusive' ? new Sqlite(file) : undefined;
locked?.exec('create table anything (a); begin exclusive');
if (!locked) {
  const database = await openSqlite(file);
  await database.write(async (tx) => {
    await tx.updateTable('installations').set({ team_name: 'Renamed' }).execute();
  });
  void database.write(async (tx) => {
    await tx.updateTable('installations').set({ team_name: 'Not committed' }).execute();
    process.stdout.write('held\n');
    await new Promise(() => {});
  });
}
if (locked) process.stdout.write('held\n');
// Keeps the process and its connection alive.
createServer(() => locked?.close()).listen(0, '127.0.0.1');
