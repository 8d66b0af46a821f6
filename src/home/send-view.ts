import type { HomeView } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import { slackFailure } from '../slack/slack-failure.ts';

/** Sends a view to one person. @throws what the SDK throws for a refusal of Slack's, or a call that failed */
export async function sendView(
  slack: Pick<WebClient, 'views'>,
  { userId, teamId }: { userId: string; teamId: string | null },
  view: HomeView,
): Promise<void> {
  const place = { user_id: userId, ...(teamId && { team_id: teamId }) };
  try {
    await slack.views.publish({ ...place, view });
  } catch (error) {
    // Slack refuses a whole view for one picture that it cannot load.
    const plain = withoutPictures(view);
    const code = slackFailure(error)?.code;
    if (plain === undefined || (code !== 'invalid_blocks' && code !== 'invalid_arguments')) throw error;
    await slack.views.publish({ ...place, view: plain });
  }
}

/** The same view without its pictures; undefined where it has none. */
function withoutPictures(view: HomeView): HomeView | undefined {
  const isPictured = (block: HomeView['blocks'][number]): boolean =>
    block.type === 'section' && 'accessory' in block && block.accessory?.type === 'image';
  if (!view.blocks.some(isPictured)) return undefined;
  return {
    ...view,
    blocks: view.blocks.map((block) => (isPictured(block) ? { ...block, accessory: undefined } : block)),
  };
}
