import type { KnownBlock } from '@slack/types';
import type { ConfigProblem } from '../config/config-error.ts';
import type { Logger } from '../config/log.ts';
import { inTime } from '../http/in-time.ts';
import { context } from './blocks.ts';

/**
 * Why Foyer calls each section whenever it draws Home: a section shows the app's own data, and Foyer cannot know when
 * that data changes. So Foyer caches no section, and always sends a Home that has sections.
 */

/** The person whose App Home is drawn. */
export interface HomeViewer {
  readonly installationId: string;
  /** The workspace of the installation; null for an org-wide install. */
  readonly teamId: string | null;
  readonly enterpriseId: string | null;
  readonly userId: string;
  readonly isInstaller: boolean;
  /**
   * Whether Slack confirmed that they are an admin, within the last day or, for the installer, within the last two
   * days.
   */
  readonly isAdmin: boolean;
  /** Such as `de-DE`; null if Foyer does not know it. */
  readonly locale: string | null;
}

/**
 * A part of App Home that belongs to the app. It appears above the install record.
 *
 * Foyer calls `blocks` whenever it draws Home, and waits at most two seconds. If a section throws, takes longer or
 * returns blocks that Slack refuses, Foyer shows one line in its place, and still shows the other sections and the
 * install record. Slack shows at most 100 blocks and 250 kB in a Home, so Foyer may cut a section that needs more than
 * its fair share.
 *
 * @example
 * const standups: HomeSection<Foyer> = {
 *   id: 'standups',
 *   async blocks(viewer, foyer) {
 *     const { count } = await countStandups(foyer.database.queries, viewer.installationId);
 *     return [{ type: 'section', text: { type: 'mrkdwn', text: `*${count}* stand-ups this week` } }];
 *   },
 * };
 */
export interface HomeSection<Foyer = unknown> {
  /** Names the section in the log. */
  readonly id: string;
  blocks(viewer: HomeViewer, foyer: Foyer): readonly KnownBlock[] | Promise<readonly KnownBlock[]>;
}

/** Lists all problems in a definition's `home`, each with its fix. */
export function checkHome(home: unknown): ConfigProblem[] {
  const fix = 'give home: { sections: [yourSection] }';
  if (typeof home !== 'object' || home === null || Array.isArray(home)) {
    return [{ name: 'home', problem: 'is not an object', fix }];
  }
  const { sections = [], ...others } = home as Record<string, unknown>;
  const problems = Object.keys(others).map((other) => ({
    ...{ name: `home.${other}`, problem: 'is not an option of home', fix },
  }));
  if (!Array.isArray(sections)) {
    return [...problems, { name: 'home.sections', problem: 'is not a list of sections', fix }];
  }
  const ids = new Set<unknown>();
  for (const [index, section] of sections.entries()) {
    const { id, blocks } = Object(section) as Record<string, unknown>;
    const name = `home.sections[${index}]`;
    const report = (problem: string, fix: string): void => void problems.push({ name, problem, fix });
    if (typeof id !== 'string' || id.trim() === '') report('has no id', "add an id, such as 'standups'");
    else if (ids.has(id)) report(`has the id of an earlier section: ${id}`, 'give each section its own id');
    ids.add(id);
    if (typeof blocks !== 'function') report('has no blocks function', 'give blocks(viewer, foyer) { … }');
  }
  return problems;
}

/** A section that was bound to its Foyer, so `blocks` needs no Foyer. */
export interface BoundHomeSection {
  readonly id: string;
  blocks(viewer: HomeViewer): readonly KnownBlock[] | Promise<readonly KnownBlock[]>;
}

/** Binds sections to their Foyer. Calls `foyer` only when Home is drawn. */
export function bindHomeSections<Foyer>(
  sections: readonly HomeSection<Foyer>[],
  foyer: () => Foyer,
): BoundHomeSection[] {
  return sections.map((section) => ({
    id: section.id,
    blocks: (viewer) => section.blocks(viewer, foyer()),
  }));
}

/** What one section returned: its blocks, or undefined if it failed. */
interface AnsweredSection {
  id: string;
  blocks: readonly KnownBlock[] | undefined;
}

const answerWithinMs = 2000;

/** Calls all sections at the same time. If a section fails, logs the error. Never throws. */
export async function askHomeSections(
  sections: readonly BoundHomeSection[],
  viewer: HomeViewer,
  log: Logger,
  withinMs = answerWithinMs,
): Promise<AnsweredSection[]> {
  return Promise.all(
    sections.map(async (section) => {
      try {
        // The promise also catches a section that throws synchronously.
        const asked = Promise.resolve().then(() => section.blocks(viewer));
        const late = () => new Error(`the section took longer than ${withinMs} ms`);
        return { id: section.id, blocks: checkedBlocks(await inTime(asked, withinMs, late)) };
      } catch (error) {
        const { installationId, userId } = viewer;
        log.error({ err: error, section: section.id, installationId, userId }, 'a Home section failed');
        return { id: section.id, blocks: undefined };
      }
    }),
  );
}

/**
 * Returns the blocks as Foyer will send them. Throws if JSON cannot represent a value, so that only this section fails.
 */
function checkedBlocks(blocks: unknown): readonly KnownBlock[] {
  const sent: unknown = JSON.parse(JSON.stringify(blocks) ?? 'null');
  if (!Array.isArray(sent)) throw new TypeError('the section did not return an array of blocks');
  const isBlock = (block: unknown): boolean =>
    typeof block === 'object' && block !== null && 'type' in block && typeof block.type === 'string';
  if (!sent.every(isBlock)) throw new TypeError('the section returned something that is not a block');
  return sent;
}

/** Slack's limits for a view (docs.slack.dev/reference/views/home-tab-views), less 2 kB for the view's other fields. */
const most = { blocks: 100, bytes: 250_000 - 2000 };

/** The texts that Home shows in place of sections, or parts of sections, that it cannot show. */
interface SectionNotices {
  /** Shown in place of a section that failed. */
  failed: string;
  /** The last line of a section that was cut because it is too long. */
  cut: string;
}

const sumOf = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);

/** The blocks of a Home, and the section to which each block belongs. */
export interface ComposedHome {
  blocks: KnownBlock[];
  /** The id of each block's section, in the order of `blocks`. Undefined for the blocks of the install record. */
  owners: readonly (string | undefined)[];
}

/**
 * Puts the sections above the install record, which is never cut. If the blocks exceed Slack's limits, cuts the
 * sections that are too long, and ends each of them with a line that says so. Even after a long section, each later
 * section gets its fair share of the space.
 */
export function composeHome(
  sections: readonly AnsweredSection[],
  record: readonly KnownBlock[],
  notices: SectionNotices,
): ComposedHome {
  const blocks: KnownBlock[] = [];
  const owners: string[] = [];
  const divider: KnownBlock = { type: 'divider' };
  const cutLine = context(notices.cut);
  const sizeOf = (block: KnownBlock): number => Buffer.byteLength(JSON.stringify(block)) + 1;
  // How many blocks and bytes each section needs, with its divider, if it is not cut.
  const shown = sections
    .filter((section) => section.blocks === undefined || section.blocks.length > 0)
    .map(({ id, blocks: own = [context(notices.failed)] }) => {
      return { id, own, needed: { blocks: own.length + 1, bytes: sumOf([...own, divider].map(sizeOf)) } };
    });
  const least = { blocks: 2, bytes: sizeOf(cutLine) + sizeOf(divider) };
  const left = { blocks: most.blocks - record.length, bytes: most.bytes - sumOf(record.map(sizeOf)) };
  for (const [index, { id, own, needed }] of shown.entries()) {
    const later = shown.slice(index + 1);
    const roomFor = (unit: 'blocks' | 'bytes'): number => {
      const share = Math.max(Math.floor(left[unit] / (later.length + 1)), least[unit]);
      return left[unit] - sumOf(later.map((other) => Math.min(other.needed[unit], share)));
    };
    const room = { blocks: roomFor('blocks'), bytes: roomFor('bytes') };
    const added: KnownBlock[] = [];
    if (needed.blocks <= room.blocks && needed.bytes <= room.bytes) added.push(...own, divider);
    else {
      let bytes = room.bytes - least.bytes;
      const fits = (block: KnownBlock, at: number): boolean => {
        bytes -= sizeOf(block);
        return bytes >= 0 && at < room.blocks - least.blocks;
      };
      const end = own.findIndex((block, at) => !fits(block, at));
      added.push(...own.slice(0, end), cutLine, divider);
    }
    blocks.push(...added);
    owners.push(...added.map(() => id));
    left.blocks -= added.length;
    left.bytes -= sumOf(added.map(sizeOf));
  }
  return { blocks: [...blocks, ...record], owners };
}
