import { type Browser } from 'playwright-core';
/** Starts a browser that calls no one by itself. Close it at the end. @throws Error where none is on the machine */
export declare function launchBrowser(): Promise<Browser>;
//# sourceMappingURL=launch-browser.d.ts.map
