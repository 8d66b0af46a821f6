import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import type { RefusalKind } from '../http/count-refusals.ts';
import type { Keyring } from '../installations/keyring.ts';
import { createSealer, KeyMissingError, SealBrokenError } from '../installations/sealer.ts';

/**
 * What a running process reports to `doctor`: facts that only this process has, such as how many requests with a wrong
 * signature it has refused.
 *
 * `doctor` asks at `/readyz`, which strangers can call too. So the question and the answer are sealed with Foyer's
 * encryption keys: `doctor` has these already, so there is no further secret to set up. A process that cannot unseal
 * the question has other keys than `doctor`.
 */

const purpose = 'doctor';
/**
 * How far doctor's clock may be ahead of Foyer's clock or behind it. Someone who intercepts doctor's request can repeat
 * it for at most twice this time.
 */
const questionAgeMs = 2 * 60_000;

const reportSchema = z.object({
  /** The name of the process, as in `key_holders`: host, pid and a random part. */
  process: z.string(),
  startedAt: z.number(),
  /** A fingerprint of each setting that must have the same value in doctor's environment. */
  settings: z.record(z.string(), z.string()),
  trustProxy: z.number(),
  /** How many addresses X-Forwarded-For contains in the request for this report. Each proxy appends one address. */
  forwardedBy: z.number(),
  slack: z.object({
    /** The number of requests with a valid signature, and when the last of them came (null if none has come). */
    verified: z.number(),
    lastVerifiedAt: z.number().nullable(),
    /**
     * The number of verified events about a workspace: all except `url_verification`, with which Slack checks the URL.
     */
    events: z.number(),
    /**
     * The number of requests with headers like Slack’s but a wrong signature: in total, and since the last verified
     * request.
     */
    wrong: z.number(),
    wrongSinceVerified: z.number(),
    /** How many of the requests with a wrong signature named this app. Strangers rarely do that. */
    wrongForThisApp: z.number(),
    /** The number of requests that were too old or from the future by this machine’s clock. */
    untimely: z.number(),
  }),
});

/** What a process reports about itself. */
export type ProcessReport = z.output<typeof reportSchema>;

/**
 * Why a process refuses a question. other_keys: the question was sealed with other keys. other_clock: its time differs
 * from the process's clock by more than two minutes.
 */
export type ReportRefusal = 'other_keys' | 'other_clock';

/** Counts what a process receives from Slack, and answers `doctor`. */
export interface ProcessReporter {
  onSlackRequest(request: { kind: 'event' | 'interaction' | 'unverified'; type: string }): void;
  onRefused(kind: RefusalKind): void;
  /**
   * Answers a request from `doctor` with the sealed report, or with the reason why the process refuses to report.
   * Returns undefined for any other request.
   */
  answer(req: Pick<IncomingMessage, 'headers'>): { report: string } | { refusal: ReportRefusal } | undefined;
}

/** Creates the reporter of one process. */
export function createProcessReporter(deps: {
  config: Pick<Config, 'slack' | 'http'>;
  keyring: Keyring;
  process: string;
  now: () => number;
}): ProcessReporter {
  const { config, process, now } = deps;
  const sealer = createSealer({ keyring: deps.keyring, purpose });
  const startedAt = now();
  const settings = settingFingerprints(config);
  const slack: ProcessReport['slack'] = {
    ...{ verified: 0, lastVerifiedAt: null, events: 0, wrong: 0, wrongSinceVerified: 0, wrongForThisApp: 0 },
    untimely: 0,
  };
  return {
    onSlackRequest({ kind, type }) {
      if (kind === 'unverified') return;
      slack.verified += 1;
      slack.lastVerifiedAt = now();
      slack.wrongSinceVerified = 0;
      if (kind === 'event' && type !== 'url_verification') slack.events += 1;
    },
    onRefused(kind) {
      if (kind === 'signature_wrong' || kind === 'secret_mismatch') {
        slack.wrong += 1;
        slack.wrongSinceVerified += 1;
        if (kind === 'secret_mismatch') slack.wrongForThisApp += 1;
      }
      if (kind === 'signature_stale' || kind === 'signature_from_the_future') slack.untimely += 1;
    },
    answer({ headers }) {
      const [scheme, question] = (headers.authorization ?? '').split(' ');
      if (scheme !== 'Foyer') return undefined;
      const askedAt = openOrUndefined(sealer, question ?? '', 'question');
      if (askedAt === undefined) return { refusal: 'other_keys' };
      if (Math.abs(now() - Number(askedAt)) > questionAgeMs) return { refusal: 'other_clock' };
      const forwardedBy = String(headers['x-forwarded-for'] ?? '')
        .split(',')
        .filter((part) => part.trim() !== '').length;
      const { trustProxy } = config.http;
      const report: ProcessReport = { process, startedAt, settings, trustProxy, forwardedBy, slack };
      return { report: sealer.seal(JSON.stringify(report), 'answer') };
    },
  };
}

/** Builds the header with which `doctor` asks a process with these keys for its report. */
export function reportQuestion(keyring: Keyring, now: number): Record<string, string> {
  const sealer = createSealer({ keyring, purpose });
  return { authorization: `Foyer ${sealer.seal(String(now), 'question')}` };
}

/** Opens a sealed report; undefined if the text is no report, or comes from a process with other keys. */
export function openReport(keyring: Keyring, sealed: string): ProcessReport | undefined {
  const text = openOrUndefined(createSealer({ keyring, purpose }), sealed, 'answer');
  if (text === undefined) return undefined;
  const parsed = reportSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}

/** Returns a fingerprint of each setting that must be the same for a running process and for `doctor`. */
export function settingFingerprints({ slack, http }: Pick<Config, 'slack' | 'http'>): Record<string, string> {
  const settings = {
    SLACK_CLIENT_ID: slack.clientId,
    SLACK_CLIENT_SECRET: slack.clientSecret,
    SLACK_SIGNING_SECRET: slack.signingSecret,
    PUBLIC_URL: http.publicUrl,
    TRUST_PROXY: String(http.trustProxy),
  };
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      createHash('sha256').update(`${name}=${value}`).digest('hex').slice(0, 16),
    ]),
  );
}

function openOrUndefined(
  sealer: Pick<ReturnType<typeof createSealer>, 'open'>,
  sealed: string,
  place: string,
): string | undefined {
  try {
    return sealer.open(sealed, place);
  } catch (error) {
    if (error instanceof SealBrokenError || error instanceof KeyMissingError) return undefined;
    throw error;
  }
}
