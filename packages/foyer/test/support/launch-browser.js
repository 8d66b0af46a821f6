import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Where a Chromium usually is. */
const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
/** The Chromium of this machine: CHROMIUM_PATH, else the first of the usual places that is there. */
function findChromium() {
  const given = process.env.CHROMIUM_PATH;
  const found = given ?? usualPlaces.find((place) => existsSync(place));
  if (found === undefined || !existsSync(found)) {
    throw new Error(
      `There is no Chromium${given ? ` at CHROMIUM_PATH (${given})` : ''}. ` +
        'Install one (Debian: apt-get install chromium), or set CHROMIUM_PATH.',
    );
  }
  return found;
}
/** Starts a browser that calls no one by itself. Close it at the end. @throws Error where none is on the machine */
export async function launchBrowser() {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
//# sourceMappingURL=launch-browser.js.map
