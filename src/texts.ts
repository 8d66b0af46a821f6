import type { PartialTexts } from 'slack-foyer';

/**
 * Every sentence that people read can be replaced here, in English, German, French, Spanish and Japanese. The keys and
 * their placeholders are in docs/texts.md; a wrong one is reported at the start.
 */
export const texts: PartialTexts = {
  en: {
    'reason.chat:write': 'To welcome you, and to answer when you say hello.',
    'app.nextSteps': 'Say hello to the app in a direct message.\nOpen its Home tab.',
  },
};
