import type { ActivityFeed } from './app/activity.ts';
import type { RegisteredApp } from './app/registered-app.ts';
import type { SandboxClock } from './clock.ts';
import type { Deliveries } from './events/deliveries.ts';
import type { World } from './world/world.ts';

/** What every part of the sandbox uses. */
export type Platform = {
  world: World;
  app: RegisteredApp;
  clock: SandboxClock;
  activity: ActivityFeed;
  deliveries: Deliveries;
  /**
   * The next message timestamp: the sandbox's time in seconds with six decimals, and higher than the one before, unless
   * the clock was set back by more than a second.
   */
  nextTs(): string;
  /** The sandbox's own address, without a trailing slash. */
  url(): string;
};
