import type { PartialTexts } from 'slack-foyer';

/**
 * Here you can replace every sentence that people read, in English, German, French, Spanish and Japanese. docs/texts.md
 * says where to find the keys and their placeholders. Foyer reports a wrong key or placeholder when it starts.
 */
export const texts: PartialTexts = {
  en: {
    // The landing page shows each reason after “Why:”, below the permission.
    'reason.chat:write': 'To welcome you, and to reply when you say hello.',
    'reason.im:history': 'To read your message when you say hello, and to send the welcome only once.',
    'app.nextSteps.messages': 'Say hello to the app in a direct message.',
    'app.nextSteps': 'Open its Home tab.',
  },
};
