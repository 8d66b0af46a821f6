import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Returns the path of this machine's Chromium: CHROMIUM_PATH, or else the first of the usual paths that exists. */
function findChromium(): string {
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

/** Starts a browser that makes no background requests. Close it at the end. @throws Error if there is no Chromium */
export async function launchBrowser(): Promise<Browser> {
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
