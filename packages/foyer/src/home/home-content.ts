import type { HistoryRecord } from '../database/history.ts';
import type { InstallRecord } from '../database/install-record.ts';
import type { QuestionRecord } from '../database/questions.ts';
import type { StepFaces, Words } from '../texts/create-texts.ts';
import type { Viewer } from './viewer.ts';

/** Everything that App Home shows to one person. */
export interface HomeContent {
  record: InstallRecord;
  words: Words;
  /** The unanswered question that the newest run waits for; absent if there is none. */
  question?: QuestionRecord;
  /** How Home shows the steps of the definition. */
  faces: StepFaces;
  /** Newest first. Home shows `historyShown` entries; if there are more, it adds a line that says so. */
  history: readonly HistoryRecord[];
  viewer: Viewer;
  app: { name: string };
  /** The bot scopes that the app requests, including the optional ones. */
  requestedScopes: readonly string[];
  /** Those of `requestedScopes` that an installer may decline. */
  optionalScopes: readonly string[];
  /** The user scopes that each member may grant for themselves. */
  memberScopes: readonly string[];
  /** The address that starts another install in this team. */
  updatePermissionsUrl: string;
  /**
   * The address where the viewer connects this workspace to an account. Absent if they may not connect it, if it is
   * already connected, or if claiming is off.
   */
  claimUrl?: string;
  supportUrl: string | null;
  privacyUrl: string | null;
}
