import type { Installation } from '@slack/oauth';
import { scopesIn, visibleText } from '../slack/visible-text.ts';

/**
 * Prepares an installation for storage: its scopes become a list of scopes, its names can be stored and seen, and an
 * org-wide one names no team, even if Slack's answer named one (python-slack-sdk #1639).
 */
export function cleanInstallation(given: Installation): Installation {
  const { team, enterprise, bot, user, isEnterpriseInstall } = given;
  const isOrgWide = isEnterpriseInstall === true && enterprise?.id !== undefined;
  // Slack's type says that one of team and enterprise is set; the flag says which.
  return {
    ...given,
    team: isOrgWide || !team ? undefined : named(team),
    enterprise: enterprise && named(enterprise),
    ...(bot && { bot: { ...bot, scopes: scopesIn(bot.scopes) } }),
    user: { ...user, scopes: user.scopes && scopesIn(user.scopes) },
  } as Installation;
}

function named<Place extends { name?: string }>(place: Place): Place {
  const { name, ...others } = place;
  const visible = visibleText(name);
  return (visible === null ? others : { ...others, name: visible }) as Place;
}
