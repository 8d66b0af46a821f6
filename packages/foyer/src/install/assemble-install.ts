import type { Refusals } from '../http/count-refusals.ts';
import { createInstallLimits, createPauseInstalls, type InstallLimits } from '../http/guard-installs.ts';
import type { BodyReader } from '../http/read-body.ts';
import type { SendPages } from '../http/send-pages.ts';
import type { Keyring } from '../installations/keyring.ts';
import { createSealer } from '../installations/sealer.ts';
import type { SlackClientFactory } from '../slack/create-slack-client.ts';
import type { StepFaces } from '../texts/create-texts.ts';
import { createFinishInstall, type FinishInstallDeps } from './finish-install.ts';
import { createAskGate, type Gate } from './gate.ts';
import { createRecoverInstalls } from './recover-installs.ts';
import { type AnswerHere, createShowProgress, progressLifetimeMs } from './show-progress.ts';
import { createStartInstall } from './start-install.ts';
import { createInstallingBrowser, createStates } from './state.ts';
import { createUnstoredTokens, unstoredTokensPurpose } from './unstored-tokens.ts';

/**
 * Creates the parts of the install flow: its guarded routes, and the function that cleans up after interrupted
 * installs.
 */
export function assembleInstall(
  deps: Omit<FinishInstallDeps, 'states' | 'browsers' | 'unstoredTokens' | 'askGate' | 'onInstalled'> & {
    keyring: Keyring;
    slack: SlackClientFactory;
    gate: Gate | undefined;
    bodies: BodyReader;
    refusals: Pick<Refusals, 'add'>;
    pages: SendPages;
    /** The titles of the definition's steps, and which of them only operators see. */
    faces: StepFaces;
    answerHere: AnswerHere;
    /** Whether the app has a listener for messages. */
    hearsMessages(): boolean;
    isInMaintenance: () => Promise<boolean>;
    /** Called when Foyer finds an install request whose code exchange was interrupted. Must not throw. */
    onInterrupted(): void;
    /** Set only by tests. */
    limits?: Partial<InstallLimits['perMinute']>;
  },
) {
  const { config, database, keyring, store, slack, gate, pages, refusals, isInMaintenance, now, log } = deps;
  const { secure, basePath, trustProxy } = config.http;
  const { clientId } = config.slack;
  const states = createStates({ sealer: createSealer({ keyring, purpose: 'state' }), secure, basePath, now });
  const unstoredSealer = createSealer({ keyring, purpose: unstoredTokensPurpose });
  const unstoredTokens = createUnstoredTokens({ database, sealer: unstoredSealer, store, slack, log });
  const limits = createInstallLimits({ trustProxy, basePath, pages, refusals, limits: deps.limits });
  const unlessPaused = createPauseInstalls({ isInMaintenance, http: config.http, pages, refusals });
  const browserSealer = createSealer({ keyring, purpose: 'installing-browser' });
  const browsers = createInstallingBrowser({ sealer: browserSealer, secure, lifetimeMs: progressLifetimeMs });
  const start = createStartInstall({ ...deps, states });
  const finish = createFinishInstall({
    ...deps,
    states,
    browsers,
    unstoredTokens,
    askGate: gate && createAskGate({ gate, clientId, database, slack }),
    onInstalled: limits.succeeded,
  });
  return {
    states,
    recoverInstalls: createRecoverInstalls({ ...deps, unstoredTokens }),
    /** Resolves when no code exchange is in progress. Aborts exchanges that have not finished after the given time. */
    settle: unstoredTokens.settle,
    routes: {
      start: {
        get: limits.guardStart(unlessPaused(start.get)),
        post: limits.guardStart(unlessPaused(start.post)),
      },
      finish: limits.guardCallback(unlessPaused(finish)),
      progress: createShowProgress({ ...deps, browsers }),
    },
  };
}
