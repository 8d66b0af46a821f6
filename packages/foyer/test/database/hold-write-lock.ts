import Sqlite from 'better-sqlite3';

/**
 * Run as a separate process: holds a database's write lock. `node hold-write-lock.ts <file>` prints `locked`, and
 * releases the lock when its standard input ends.
 */
const sqlite = new Sqlite(process.argv[2] ?? '');
sqlite.exec('begin immediate');
console.log('locked');
process.stdin.resume().once('end', () => {
  sqlite.exec('rollback');
  sqlite.close();
});
