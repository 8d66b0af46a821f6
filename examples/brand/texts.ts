import type { PartialTexts } from 'slack-foyer';

/** This app's own words; Foyer's texts apply everywhere else. */
export const texts: PartialTexts = {
  en: {
    'app.nextSteps': 'Open its Home tab.\nInvite your team.',
    'reason.chat:write': 'To ask your team three questions each day, and to post the answers.',
    'welcome.greeting': 'Good morning {person}! *{app}* is ready.',
    'failure.access_denied.do': 'Changed your mind? Start again: it takes a minute.',
  },
  de: { 'app.tagline': 'Stand-ups, die eine Minute dauern.' },
};
