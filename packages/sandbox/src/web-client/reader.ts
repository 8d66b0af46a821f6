import type { DateReader } from './slack-date.ts';

/** Who reads a message or view, and the names of the people and channels it may mention. */
export type Reader = DateReader & {
  names: { id: string; name: string }[];
  channels: { id: string; name: string }[];
};
