import { hash } from 'node:crypto';
import type { HomeView, KnownBlock } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import { type ClaimUrl, claimLifetimeMs } from '../connections/create-connections.ts';
import type { Database } from '../database/database.ts';
import { prepareHistory } from '../database/history.ts';
import type { Onlooker } from '../database/home-views.ts';
import { type InstallRecord, prepareInstallRecord } from '../database/install-record.ts';
import { listQuestions } from '../database/questions.ts';
import type { Brand } from '../http/brand.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import type { StepFaces, Texts } from '../texts/create-texts.ts';
import { askHomeSections, type BoundHomeSection, type ComposedHome, composeHome } from './home-sections.ts';
import { historyShown, homeBlocks } from './home-view.ts';
import { type FindViewer, mayAct } from './viewer.ts';

/** One person's App Home, drawn from the current record and the app's sections. */
export interface Home extends DrawnHome {
  record: InstallRecord;
  /** Whether the app has sections. If so, Foyer sends this Home even if it has not changed. */
  hasSections: boolean;
  /** SHA-256 of the view and the install time. After a reinstall, Slack may show no Home, so the hash must change. */
  hash: string;
}

/** Reads and draws a person's Home; resolves to undefined if the installation is unknown or uninstalled. */
export type ReadHome = (onlooker: Onlooker) => Promise<Home | undefined>;

export interface ReadHomeDeps {
  database: Database;
  findViewer: FindViewer;
  config: Pick<Config, 'slack' | 'http'>;
  brand: Brand;
  texts: Texts;
  /** How Home shows the steps of the definition. */
  faces: StepFaces;
  /** The app's own sections; none by default. */
  sections?: readonly BoundHomeSection[];
  /** Makes the address where an installer or admin connects an unconnected workspace; absent if claiming is off. */
  claimUrl?: ClaimUrl;
  now: () => number;
  log: Logger;
}

/** Creates the function that reads and draws a person's Home. */
export function createReadHome(deps: ReadHomeDeps): ReadHome {
  const { database, findViewer, config, brand, texts, sections = [], log } = deps;
  const readRecord = prepareInstallRecord(database);
  const readHistory = prepareHistory(database);
  const settings = {
    app: { name: brand.name },
    faces: deps.faces,
    requestedScopes: config.slack.botScopes,
    optionalScopes: config.slack.optionalBotScopes,
    memberScopes: config.slack.memberScopes,
    supportUrl: brand.supportUrl,
    privacyUrl: brand.privacyUrl,
  };
  const install = `${config.http.baseUrl}/slack/install`;

  return async ({ installationId, userId }) => {
    const record = await readRecord(installationId);
    if (!record || record.status === 'uninstalled') return undefined;
    const viewer = await findViewer(record, userId);
    const history = await readHistory(record.id, historyShown + 1);
    const { teamId, run } = record;
    const asked =
      run?.waitingFor === 'answer' ? await listQuestions(database.queries, { runId: run.id }) : [];
    const question = asked.find(
      ({ answeredAt, expiresAt }) => answeredAt === null && (expiresAt ?? Infinity) > deps.now(),
    );
    const updatePermissionsUrl =
      teamId === null ? install : `${install}?${new URLSearchParams({ team: teamId })}`;
    const asking = {
      installationId: record.id,
      teamId,
      enterpriseId: record.enterpriseId,
      userId,
      isInstaller: userId === record.installerUserId,
      isAdmin: viewer.isAdmin,
      locale: viewer.profile?.locale ?? null,
    };
    const answered = sections.length === 0 ? [] : await askHomeSections(sections, asking, log);
    const mayClaim = record.connection === null && record.status === 'active' && mayAct(record, viewer);
    const { life } = record;
    const claimUrl = mayClaim ? deps.claimUrl?.({ installationId: record.id, life, userId }) : undefined;
    const words = texts.forLocale(viewer.profile?.locale);
    const sectionNotices = {
      failed: words.text('home.section.failed'),
      cut: words.text('home.section.cut'),
    };
    const recordBlocks = homeBlocks({
      ...settings,
      words,
      record,
      history,
      viewer,
      question,
      updatePermissionsUrl,
      claimUrl,
    });
    // Without sections, Foyer need not cut anything: the record alone always fits.
    const draw = (shown: typeof answered): ComposedHome =>
      shown.length === 0
        ? { blocks: recordBlocks, owners: [] }
        : composeHome(shown, recordBlocks, sectionNotices);
    const home = draw(answered);
    return {
      record,
      hasSections: sections.length > 0,
      ...home,
      /** Draws the same Home, with one line in place of each section in `failed`. */
      without: (failed: ReadonlySet<string>) =>
        draw(answered.map((one) => (failed.has(one.id) ? { ...one, blocks: undefined } : one))),
      hash: hash('sha256', `[${record.installedAt},${hashedText(home.blocks, claimUrl)}]`),
    };
  };

  /**
   * Returns the text to hash. A claim link is different each time that Home is read, so the text contains a number
   * instead of the link. The number changes after half of the link's lifetime, so that Foyer then sends Home with a new
   * link.
   */
  function hashedText(blocks: unknown, claimUrl: string | undefined): string {
    const text = JSON.stringify(blocks);
    if (claimUrl === undefined) return text;
    return text.replaceAll(claimUrl, `claim ${Math.floor(deps.now() / (claimLifetimeMs / 2))}`);
  }
}

/** The person to whom a view is sent, and the token for it. */
interface ViewAddress {
  token: string;
  userId: string;
  teamId: string | null;
}

/**
 * A Home as Foyer sends it. `without` draws it again, with one line in place of each section whose id is in `failed`.
 */
interface DrawnHome extends ComposedHome {
  without(failed: ReadonlySet<string>): ComposedHome;
}

/**
 * Sends a Home to one person. If one block is bad, Slack refuses the whole view. Foyer then sends the view again: first
 * without the sections that Slack's answer names, then without the record's pictures, then without any section. So the
 * install record still appears.
 * @throws the error that the SDK throws for a refusal or a failed call
 */
export async function sendView(
  slack: Pick<WebClient, 'apiCall'>,
  { token, userId, teamId }: ViewAddress,
  home: DrawnHome,
  log: Logger,
): Promise<void> {
  const failed = new Set<string>();
  let shown: ComposedHome = home;
  for (;;) {
    try {
      // The view is sent as text. The SDK would turn an object into text too, but it would first copy and mask the
      // object for its own log, which takes 42 µs.
      const view = JSON.stringify(homeView(shown.blocks));
      await slack.apiCall('views.publish', {
        token,
        user_id: userId,
        ...(teamId && { team_id: teamId }),
        view,
      });
      return;
    } catch (error) {
      const next = isRefusedView(error) ? nextHome(error) : undefined;
      if (!next) throw error;
      shown = next;
    }
  }

  function nextHome(error: unknown): ComposedHome | undefined {
    const { owners } = shown;
    const pointed = refusedBlocks(error).flatMap((index) => owners[index] ?? []);
    const remaining = owners.flatMap((id) => (id === undefined || failed.has(id) ? [] : [id]));
    const bad = pointed.filter((id) => !failed.has(id));
    if (bad.length === 0) {
      const plain = withoutPictures(shown);
      if (plain) return plain;
    }
    const replaced = bad.length > 0 ? bad : remaining;
    if (replaced.length === 0) return undefined;
    for (const id of new Set(replaced)) {
      failed.add(id);
      log.error(
        { section: id, error: slackFailure(error)?.message },
        'Slack refused the Home view; it is sent again without this section',
      );
    }
    return home.without(failed);
  }
}

export function homeView(blocks: KnownBlock[]): HomeView {
  return { type: 'home', callback_id: 'foyer.home', blocks };
}

function isRefusedView(error: unknown): boolean {
  const code = slackFailure(error)?.code;
  return code === 'invalid_blocks' || code === 'invalid_arguments' || code === 'view_too_large';
}

/** Returns the positions of the blocks that Slack's answer names, as in `[json-pointer:/view/blocks/3/text]`. */
function refusedBlocks(error: unknown): number[] {
  const { data } = error as { data?: { response_metadata?: { messages?: unknown } } };
  const messages = data?.response_metadata?.messages;
  const text = Array.isArray(messages) ? messages.join(' ') : '';
  return [...text.matchAll(/\/blocks\/(\d+)/g)].map(([, index]) => Number(index));
}

/** Returns the same Home without the pictures in its install record; undefined if the record has no pictures. */
function withoutPictures(home: ComposedHome): ComposedHome | undefined {
  const isPictured = (block: KnownBlock, index: number): boolean =>
    home.owners[index] === undefined &&
    block.type === 'section' &&
    'accessory' in block &&
    block.accessory?.type === 'image';
  if (!home.blocks.some(isPictured)) return undefined;
  return {
    ...home,
    blocks: home.blocks.map((block, index) =>
      isPictured(block, index) ? { ...block, accessory: undefined } : block,
    ),
  };
}
