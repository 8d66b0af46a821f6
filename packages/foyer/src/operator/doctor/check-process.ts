import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { counted } from '../../config/counted.ts';
import type { Queries } from '../../database/database.ts';
import { isKeyHolder } from '../../database/encryption-keys.ts';
import type { Keyring } from '../../installations/keyring.ts';
import {
  openReport,
  type ProcessReport,
  type ReportRefusal,
  reportQuestion,
  settingFingerprints,
} from '../process-report.ts';
import { type Finding, findingsOf } from './finding.ts';

/**
 * Asks the running Foyer at two addresses, the port on this machine and PUBLIC_URL, for facts that only the running
 * process has. The answers show whether Foyer runs on this machine, and whether PUBLIC_URL leads to it.
 */

const timeoutMs = 5000;
/** From this many refused requests on, doctor reports a problem. Fewer may come from a stranger. */
const telling = 3;
const tellingLater = 10;
const quietMs = 10 * 60_000;

/** What a Foyer answered at an address: a report, or a refusal. `nothing`: no answer that doctor can use. */
type Answer =
  | { kind: 'report'; report: ProcessReport; isReady: boolean }
  | { kind: ReportRefusal }
  | { kind: 'nothing' };

/**
 * Checks the running process: whether it uses this environment's settings, which requests it has received from Slack,
 * and how many proxies are in front of it. `wrong` lists the settings that cannot be compared, since they are missing
 * or wrong in this environment.
 */
export async function checkProcess(
  config: Pick<Config, 'http' | 'slack'>,
  known: { keyring: Keyring; queries: Queries | undefined; now: number; wrong: readonly string[] },
): Promise<Finding[]> {
  const { keyring, queries, now } = known;
  const publicUrl = config.http.baseUrl;
  const { atPublicUrl, here } = await askProcesses(config, keyring, now);
  const { fault, warning } = findingsOf('process');
  if (atPublicUrl.kind === 'other_keys') {
    const detail = `The Foyer that answers at ${publicUrl} does not use this environment’s encryption keys.`;
    const fix =
      'If that is another Foyer, make PUBLIC_URL, DNS and the proxy lead to yours. If it is yours, set the same TOKEN_ENCRYPTION_KEYS for it and for this environment, and restart Foyer.';
    return [fault(detail, fix)];
  }
  if (atPublicUrl.kind === 'other_clock') {
    const detail = `The clocks of this machine and of the Foyer that answers at ${publicUrl} differ by more than two minutes.`;
    return [warning(detail, 'Synchronize both with NTP (timedatectl set-ntp true), and run doctor again.')];
  }
  const answers = [atPublicUrl, here].filter((answer) => answer.kind === 'report');
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const answer of answers) {
    if (seen.has(answer.report.process)) continue;
    seen.add(answer.report.process);
    findings.push(
      await runsAsConfigured(config, answer, known),
      signatures(answer.report, now),
      ...(await emptyDatabase(answer.report, queries, config.slack.clientId)),
    );
  }
  if (atPublicUrl.kind === 'report') findings.push(proxies(atPublicUrl.report, publicUrl));
  return findings;
}

const nothing: Answer = { kind: 'nothing' };

/**
 * Requests a report from the Foyer at PUBLIC_URL (`atPublicUrl`) and from the Foyer on this machine (`here`). Sends
 * only the first request if PUBLIC_URL is the local address or if the local port is unknown; `here` is then `nothing`.
 */
export async function askProcesses(
  config: Pick<Config, 'http'>,
  keyring: Keyring,
  now: number,
): Promise<{ atPublicUrl: Answer; here: Answer }> {
  const localUrl = addressHere(config);
  const question = reportQuestion(keyring, now);
  const ask = (url: string | undefined) => (url === undefined ? nothing : askAt(url, keyring, question));
  const [atPublicUrl, here] = await Promise.all([ask(config.http.baseUrl), ask(localUrl)]);
  return { atPublicUrl, here };
}

/** Returns the address of Foyer on this machine; undefined if PUBLIC_URL is that address, or the port is unknown. */
function addressHere({ http }: Pick<Config, 'http'>): string | undefined {
  if (http.port === 0) return undefined;
  const everywhere = http.host === undefined || http.host === '0.0.0.0' || http.host === '::';
  const host = everywhere ? '127.0.0.1' : http.host;
  const origin = `http://${host?.includes(':') ? `[${host}]` : host}:${http.port}`;
  return origin === http.publicUrl ? undefined : origin + http.basePath;
}

const answerSchema = z.object({ status: z.string(), report: z.string().optional() });

async function askAt(url: string, keyring: Keyring, headers: Record<string, string>): Promise<Answer> {
  try {
    const response = await fetch(`${url}/readyz`, {
      redirect: 'manual',
      headers: { ...headers, connection: 'close' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status, report } = answerSchema.parse(await response.json());
    if (response.status === 401 && (status === 'other_keys' || status === 'other_clock'))
      return { kind: status };
    const opened = report === undefined ? undefined : openReport(keyring, report);
    return opened ? { kind: 'report', report: opened, isReady: response.status === 200 } : nothing;
  } catch {
    // If Foyer does not answer at PUBLIC_URL, the check `public-url` says why.
    return nothing;
  }
}

async function runsAsConfigured(
  config: Pick<Config, 'http' | 'slack'>,
  { report, isReady }: Extract<Answer, { kind: 'report' }>,
  { queries, wrong }: { queries: Queries | undefined; wrong: readonly string[] },
): Promise<Finding> {
  const { ok, fault } = findingsOf('process');
  const name = processName(report);
  if (!isReady) {
    return fault(
      `The running Foyer (${name}) cannot use its database.`,
      'Fix what the database checks report. If they report nothing, fix what Foyer’s log reports (level error), and restart Foyer.',
    );
  }
  const own = settingFingerprints(config);
  const different = Object.keys(own).filter(
    (key) => !wrong.includes(key) && report.settings[key] !== own[key],
  );
  if (different.length > 0) {
    return fault(
      `The running Foyer (${name}) and this environment differ in ${different.join(', ')}.`,
      'If the environment is right, restart Foyer: it reads its settings only at the start. Otherwise run doctor with the environment that Foyer runs with.',
    );
  }
  if (queries && !(await isKeyHolder(queries, report.process))) {
    return fault(
      `The running Foyer (${name}) does not use the database that this environment names.`,
      'Give both the same DATABASE_URL (a relative path depends on the folder that Foyer is started in), and restart Foyer.',
    );
  }
  return ok(`Foyer is running (${name}) with this environment’s settings, keys and database.`);
}

function processName({ process }: ProcessReport): string {
  const [host = '', pid = ''] = process.split(' ');
  return `process ${pid} on ${host}`;
}

function signatures(report: ProcessReport, now: number): Finding {
  const { ok, fault } = findingsOf('signatures');
  const { verified, lastVerifiedAt, wrong, wrongSinceVerified, wrongForThisApp, untimely } = report.slack;
  const name = processName(report).replace(/^p/, 'P');
  const since = `since Foyer started ${ago(now - report.startedAt)}`;
  const fix =
    'Copy the signing secret again from the app’s Basic Information page at api.slack.com/apps into SLACK_SIGNING_SECRET, and restart Foyer (docs/runbook.md#the-signing-or-client-secret-was-regenerated-or-leaked).';
  if (verified === 0 && (wrong >= telling || wrongForThisApp > 0)) {
    const detail = `${name} has refused ${wrong === 1 ? 'the only signed request' : `all ${wrong} signed requests`} ${since}: SLACK_SIGNING_SECRET is not this app’s.`;
    return fault(detail, fix);
  }
  if (lastVerifiedAt !== null && wrongSinceVerified >= tellingLater && now - lastVerifiedAt > quietMs) {
    const detail = `${name} verified its last request from Slack ${ago(now - lastVerifiedAt)}, and has refused ${wrongSinceVerified} requests since: the signing secret was regenerated, or someone is imitating Slack.`;
    return fault(detail, fix);
  }
  if (untimely >= telling && untimely > verified) {
    const detail = `${name} has refused ${counted(untimely, 'request')} ${since}: they were too old or from the future.`;
    return fault(detail, 'Synchronize that machine’s clock with NTP (timedatectl set-ntp true).');
  }
  if (lastVerifiedAt === null) return ok(`No request from Slack has been verified ${since}.`);
  return ok(
    `${counted(verified, 'request')} from Slack verified ${since}, the last ${ago(now - lastVerifiedAt)}.`,
  );
}

/**
 * Reports a database that has no installation although Slack has sent events about workspaces: the installations of
 * these workspaces are in another database, or lost.
 */
async function emptyDatabase(
  report: ProcessReport,
  queries: Queries | undefined,
  clientId: string,
): Promise<Finding[]> {
  if (!queries || report.slack.events === 0) return [];
  const row = await queries
    .selectFrom('installations')
    .select('id')
    .where('client_id', '=', clientId)
    .limit(1)
    .executeTakeFirst();
  if (row) return [];
  return [
    findingsOf('database-empty').fault(
      `Slack has sent ${counted(report.slack.events, 'event')} about workspaces, and the database holds no installation of this app: the installations of these workspaces are in another database, or lost.`,
      'Stop Foyer, and put back the previous database or its newest backup (docs/runbook.md#restore-and-who-is-missing); or correct DATABASE_URL.',
    ),
  ];
}

/**
 * Compares TRUST_PROXY with the number of proxies in front of Foyer. Doctor's request to PUBLIC_URL passed these
 * proxies, and each one added an address to X-Forwarded-For.
 */
function proxies({ trustProxy, forwardedBy }: ProcessReport, publicUrl: string): Finding {
  const { ok, warning, fault } = findingsOf('trust-proxy');
  const passed = `A request through ${publicUrl} passes ${forwardedBy === 1 ? 'one proxy' : `${forwardedBy} proxies`}`;
  if (forwardedBy > trustProxy) {
    return fault(
      `${passed}, and TRUST_PROXY is ${trustProxy}: all visitors count as one, and share the limits of one visitor.`,
      `Set TRUST_PROXY=${forwardedBy}, and restart Foyer.`,
    );
  }
  if (forwardedBy < trustProxy && forwardedBy === 0) {
    return warning(
      `TRUST_PROXY is ${trustProxy}, and a request through ${publicUrl} has no X-Forwarded-For: visitors can fake the address by which Foyer limits their requests.`,
      'Configure the proxy to set X-Forwarded-For; if there is no proxy, remove TRUST_PROXY and restart Foyer.',
    );
  }
  if (forwardedBy < trustProxy) {
    return warning(
      `${passed}, and TRUST_PROXY is ${trustProxy}: visitors can fake the address by which Foyer limits their requests.`,
      `If visitors’ requests pass the same number of proxies as requests from this machine, set TRUST_PROXY=${forwardedBy} and restart Foyer.`,
    );
  }
  return ok(`${passed}, as TRUST_PROXY says.`);
}

function ago(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 1) return 'less than a minute ago';
  if (minutes < 120) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`;
}
