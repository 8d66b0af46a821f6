import type { HistoryRecord } from '../database/history.ts';
import type { InstallRecord } from '../database/install-record.ts';
import type { QuestionRecord } from '../database/questions.ts';
import type { Words } from '../texts/create-texts.ts';
import type { StepFaces } from '../texts/translation.ts';
import type { Viewer } from './may-act.ts';

/** Everything that App Home shows to one person. */
export interface HomeContent {
  record: InstallRecord;
  words: Words;
  /** What the newest run waits to be answered. */
  question?: QuestionRecord;
  /** How the steps of the definition are shown. */
  faces: StepFaces;
  /** Newest first; those beyond `historyShown` are only mentioned. */
  history: readonly HistoryRecord[];
  viewer: Viewer;
  app: { name: string };
  /** The bot scopes that the app asks for, those that may be declined among them. */
  requestedScopes: readonly string[];
  /** Those of `requestedScopes` that an installer may decline. */
  optionalScopes: readonly string[];
  /** The user scopes that each member may grant for themselves. */
  memberScopes: readonly string[];
  /** Where an install of this same team starts again. */
  updatePermissionsUrl: string;
  /** Where an unconnected workspace is connected with an account; only for those who may. */
  claimUrl?: string;
  supportUrl: string | null;
  privacyUrl: string | null;
}
