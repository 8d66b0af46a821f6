/** This app's own tables, for Kysely's types. They are made by `migrations/`. */
export interface Tables {
  greetings: {
    installation_id: string;
    /** How often somebody said hello to the app there. */
    count: number;
  };
}
