import type { Installation } from '@slack/oauth';
import { WebClient } from '@slack/web-api';
import { homeViewOf } from './home-view-of.ts';
import type { HookRecords } from './hook-records.ts';

/** What an app does right after an install if its callback awaits all the work. */
export interface InlineHooks {
  store(installation: Installation): Promise<void>;
  welcome(installation: Installation): Promise<void>;
}

/**
 * Makes the same calls to Slack as Foyer's pipeline, in the same order, and stores the same facts. It stores tokens in
 * plain text, and stores no run, step or attempt from which it could resume after a crash.
 */
export function createInlineHooks({
  records,
  apiUrl,
}: {
  records: HookRecords;
  apiUrl: string;
}): InlineHooks {
  return {
    async store(installation) {
      await records.saveInstallation(installation.team?.id ?? '', JSON.stringify(installation));
    },
    async welcome(installation) {
      const slack = new WebClient(installation.bot?.token, { slackApiUrl: apiUrl });
      const { id: userId } = installation.user;
      const teamId = installation.team?.id ?? '';
      const place = { team_id: teamId };
      await records.saveTeam(teamId, installation.team?.name ?? null, null);
      await records.saveMember(teamId, userId);
      const [{ user }, { team }] = await Promise.all([
        slack.users.info({ user: userId, include_locale: true, ...place }),
        slack.team.info({ team: teamId }),
      ]);
      await records.saveTeam(teamId, team?.name ?? null, team?.domain ?? null);
      await records.saveUser({
        id: userId,
        name: user?.name,
        realName: user?.real_name,
        email: user?.profile?.email,
        timezone: user?.tz,
      });
      const { channel } = await slack.conversations.open({ users: userId, ...place });
      await slack.chat.postMessage({
        channel: channel?.id ?? userId,
        text: `Hello ${user?.profile?.first_name}, thank you for installing!`,
        metadata: { event_type: 'welcome', event_payload: place },
      });
      const view = homeViewOf({ teamId, teamName: team?.name ?? null, userId });
      await slack.views.publish({ user_id: userId, view, ...place });
    },
  };
}
