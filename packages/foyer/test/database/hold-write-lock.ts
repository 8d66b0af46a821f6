import Sqlite from 'better-sqlite3';

/**
 * A process of its own that holds a database's write lock: `node hold-write-lock.ts <file>`. Prints `locked`, and lets
 * go when its standard input ends.
 */
const sqlite = new Sqlite(process.argv[2] ?? '');
sqlite.exec('begin immediate');
console.log('locked');
process.stdin.resume().once('end', () => {
  sqlite.exec('rollback');
  sqlite.close();
});
