import type { StepStatus } from '../../database/records.ts';

const labels: Readonly<Record<string, string>> = {
  'register-team': 'Registering your workspace',
  'register-user': 'Registering you as its installer',
  'fetch-profile': 'Reading your profile',
  'send-welcome': 'Sending your welcome message',
  'publish-home': 'Preparing the Home tab',
  'notify-operators': 'Telling the app’s team',
};

/** A step in the installer's words; a step without a label of its own is read from its name. */
export function stepLabel(name: string): string {
  const known = labels[name];
  if (known !== undefined) return known;
  const words = name.replace(/[-_\s]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A step's status in one or two words. */
export const stepStatusWords: Readonly<Record<StepStatus, string>> = {
  pending: 'To do',
  running: 'Working',
  retrying: 'Trying again',
  succeeded: 'Done',
  failed: 'Failed',
  skipped: 'Skipped',
  unconfirmed: 'Not confirmed',
};
