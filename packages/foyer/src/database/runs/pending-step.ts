/** How a step stands that is to be done, for the first time or anew: its attempts are counted on, whichever it is. */
export const pendingStep = {
  status: 'pending',
  failures: 0,
  output: null,
  error_code: null,
  error_message: null,
  started_at: null,
  finished_at: null,
} as const;
