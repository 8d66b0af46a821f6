/** This app's own tables, for Kysely's types. `migrations/` creates them. */
export interface Tables {
  greetings: {
    installation_id: string;
    /** How often someone said hello to the app in this installation. */
    count: number;
  };
}
