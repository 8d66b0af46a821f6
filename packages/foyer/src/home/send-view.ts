import type { HomeView, KnownBlock } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Logger } from '../config/log.ts';
import { slackFailure } from '../slack/slack-failure.ts';
import type { ComposedHome } from './home-sections.ts';

/** The person to whom a view is sent, and the token for it. */
export interface ViewAddress {
  token: string;
  userId: string;
  teamId: string | null;
}

/** A Home as it is sent; `without` draws it again without the blocks of some sections. */
export interface DrawnHome extends ComposedHome {
  without(failed: ReadonlySet<string>): ComposedHome;
}

/**
 * Sends a Home to one person. Slack refuses a whole view for one bad block, so Foyer sends a refused view again without
 * the sections that Slack points at, then without pictures, then without any section: the install record still appears.
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
      // As text, which the SDK sends anyway: it would first copy and mask an object for its own log (42 µs more).
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
      log.error({ section: id, error: slackFailure(error)?.message }, 'Slack refused a Home section');
    }
    return home.without(failed);
  }
}

/** Builds the view of these blocks. */
export function homeView(blocks: KnownBlock[]): HomeView {
  return { type: 'home', callback_id: 'foyer.home', blocks };
}

function isRefusedView(error: unknown): boolean {
  const code = slackFailure(error)?.code;
  return code === 'invalid_blocks' || code === 'invalid_arguments' || code === 'view_too_large';
}

/** Returns the positions of the blocks that Slack's answer names: `[json-pointer:/view/blocks/3/text]`. */
function refusedBlocks(error: unknown): number[] {
  const { data } = error as { data?: { response_metadata?: { messages?: unknown } } };
  const messages = data?.response_metadata?.messages;
  const text = Array.isArray(messages) ? messages.join(' ') : '';
  return [...text.matchAll(/\/blocks\/(\d+)/g)].map(([, index]) => Number(index));
}

/** Returns the same Home without the pictures of its record; undefined if there are none. */
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
