import Sqlite from 'better-sqlite3';

/** Renames every team, as another process would, so that App Home has something new to show. */
export function renameTeams(file: string, round: number): void {
  const sqlite = new Sqlite(file, { timeout: 5000 });
  sqlite.prepare("update installations set team_name = 'Team of ' || team_id || ' ' || ?").run(round);
  sqlite.close();
}
