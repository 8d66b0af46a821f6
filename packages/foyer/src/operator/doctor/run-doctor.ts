import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { createScrubber } from '../../config/log.ts';
import type { Queries } from '../../database/database.ts';
import { type Keyring, KeyringError } from '../../installations/keyring.ts';
import { fillManifest, manifestFileName } from '../fill-manifest.ts';
import { inLocalCommands } from '../local-commands.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { checkDatabase } from './check-database.ts';
import { checkEnvironment, checkSpelling } from './check-environment.ts';
import { checkKey } from './check-key.ts';
import { checkManifest } from './check-manifest.ts';
import { checkMailServer, checkNotices, checkOperatorPages, checkWebhook } from './check-operators.ts';
import { checkProcess } from './check-process.ts';
import { checkPublicUrl } from './check-public-url.ts';
import { checkRecords } from './check-records.ts';
import { checkCredentials, checkSlack } from './check-slack.ts';
import type { DatabaseCheck, ReadableDatabase } from './database-findings.ts';
import { type Finding, findingsOf } from './finding.ts';
import { readSetting, type Setting } from './read-setting.ts';

interface DoctorOptions {
  /** Whether to skip the checks that call Slack, the public URL, a running Foyer, the mail server or the webhook. */
  offline?: boolean;
  /** The path of a manifest that was exported from Slack. */
  manifestFile?: string;
}

type DoctorDeps = Pick<
  OperatorDeps,
  | 'now'
  | 'definition'
  | 'givenConfig'
  | 'basePath'
  | 'readEnvironment'
  | 'readManifest'
  | 'loadKeyring'
  | 'migrations'
  | 'slackClients'
  | 'folder'
  | 'commands'
>;

/**
 * Runs every check that can run, and says why the other checks cannot. Changes nothing, works whether or not Foyer is
 * running, and never throws: an error inside a check becomes a finding.
 */
export async function runDoctor(deps: DoctorDeps, options: DoctorOptions = {}): Promise<Finding[]> {
  const setting = readSetting(deps);
  const { config } = setting;
  const readsEnvFile = !deps.givenConfig && setting.unreadable === undefined;
  const environment = [
    ...checkEnvironment(setting, deps.folder),
    ...(readsEnvFile ? await findings('environment', () => checkSpelling(deps.folder)) : []),
  ];
  if (!config)
    return [...environment, findingsOf('everything else').unchecked('the environment cannot be used')];
  const scrub = createScrubber(config.secrets);
  // Must come first: it blocks the process while it reads the whole file. If the network checks ran at the same time,
  // they would time out.
  const file = await lookAtDatabase(deps, config, setting);
  const database = openUnlessBroken(file);
  const stored = (check: string, work: (queries: Queries) => Promise<Finding[]>) =>
    findings(check, () => {
      if (database) return work(database.queries);
      return file.absent ? [] : [findingsOf(check).unchecked('the database cannot be read')];
    });
  try {
    const groups = await Promise.all([
      findings('key', () =>
        setting.wrongOf('TOKEN_ENCRYPTION_KEYS', 'DATABASE_URL').length > 0
          ? [findingsOf('key').unchecked('the environment names no usable key or database')]
          : checkKey(config, deps.loadKeyring, database?.queries, file.absent),
      ),
      findings('manifest', () => manifestFindings(deps, setting, config, options)),
      stored('records', (queries) => checkRecords(queries, config, deps.now(), deps.definition.jobs)),
      findings('operator-pages', () => [checkOperatorPages(config)]),
      findings('notify', async () => [await checkNotices(config, database?.queries, deps.now())]),
      ...(options.offline ? [] : networkChecks(deps, setting, config, database?.queries)),
    ]);
    const all = [...environment, ...file.findings, ...groups.flat()];
    return all.map(({ detail, fix, ...finding }) => ({
      ...finding,
      detail: inLocalCommands(scrub(detail), deps.commands),
      fix: fix && inLocalCommands(fix, deps.commands),
    }));
  } finally {
    await database?.close();
  }
}

function networkChecks(
  deps: DoctorDeps,
  setting: Setting,
  config: Config,
  queries: Queries | undefined,
): Promise<Finding[]>[] {
  const one = async (work: Promise<Finding>): Promise<Finding[]> => [await work];
  const unlessWrong = (check: string, names: string[], work: () => Promise<Finding[]>) =>
    findings(check, () => {
      const wrong = setting.wrongOf(...names);
      return wrong.length > 0 ? [findingsOf(check).unchecked(`${wrong.join(', ')} cannot be used`)] : work();
    });
  return [
    unlessWrong('public-url', ['PUBLIC_URL'], () => one(checkPublicUrl(config))),
    findings('process', async () => {
      const wrong = setting.wrongOf('PUBLIC_URL', 'TOKEN_ENCRYPTION_KEYS', 'DATABASE_URL');
      const keyring = wrong.length > 0 ? undefined : loadOrUndefined(deps, config);
      return keyring
        ? checkProcess(config, {
            keyring,
            queries,
            now: deps.now(),
            wrong: setting.wrongOf(...comparedSettings),
          })
        : [];
    }),
    unlessWrong('slack', ['SLACK_API_URL'], () => checkSlack(config, deps.now)),
    unlessWrong('credentials', ['SLACK_CLIENT_ID', 'SLACK_CLIENT_SECRET', 'SLACK_API_URL'], async () =>
      one(checkCredentials(config, await deps.slackClients(config))),
    ),
    findings('mail-server', () => checkMailServer(config)),
    findings('webhook', () => checkWebhook(config)),
  ];
}

const comparedSettings = ['SLACK_CLIENT_ID', 'SLACK_CLIENT_SECRET', 'SLACK_SIGNING_SECRET', 'TRUST_PROXY'];

/**
 * Returns undefined if there are no usable keys; the check `key` reports that. Without keys, `doctor` cannot question
 * the running process: that process answers only a question that was sealed with its own keys.
 */
function loadOrUndefined(deps: DoctorDeps, config: Config): Keyring | undefined {
  try {
    return deps.loadKeyring(config);
  } catch (error) {
    if (error instanceof KeyringError) return undefined;
    throw error;
  }
}

/**
 * Checks a copy of Slack's manifest if there is one (exported, or saved by `setup`), else `manifest.json` with
 * PUBLIC_URL filled in.
 */
function manifestFindings(
  deps: DoctorDeps,
  setting: Setting,
  config: Config,
  { manifestFile }: DoctorOptions,
): Finding[] {
  if (setting.wrongOf('manifest.json').length > 0)
    return [findingsOf('manifest').unchecked('manifest.json cannot be read')];
  if (setting.wrongOf('PUBLIC_URL').length > 0)
    return [findingsOf('manifest').unchecked('PUBLIC_URL cannot be used')];
  const kept = join(deps.folder, manifestFileName);
  const file = manifestFile ?? (existsSync(kept) ? kept : undefined);
  if (file === undefined) {
    const signsIn = config.signIn !== undefined;
    const manifest = fillManifest(deps.readManifest(), config.http.baseUrl, { signsIn });
    return checkManifest(config, { manifest, name: 'manifest.json', isSlacks: false });
  }
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return checkManifest(config, { manifest, name: manifestFile ?? manifestFileName, isSlacks: true });
  } catch (error) {
    return [unreadableManifest(manifestFile, error)];
  }
}

/** An unreadable file is a fault if the operator named it, and a warning if `setup` saved it. */
function unreadableManifest(asked: string | undefined, error: unknown): Finding {
  const detail = `${asked ?? manifestFileName} cannot be read as JSON: ${messageOf(error)}.`;
  if (asked === undefined)
    return findingsOf('manifest').warning(detail, 'Delete it, or run setup again, which writes a new one.');
  return findingsOf('manifest').fault(
    detail,
    'Export the manifest from the app’s App Manifest page, as JSON.',
  );
}

async function lookAtDatabase(deps: DoctorDeps, config: Config, setting: Setting): Promise<DatabaseCheck> {
  const unusable = { open: undefined, absent: false };
  if (setting.wrongOf('DATABASE_URL').length > 0) {
    return { ...unusable, findings: [findingsOf('database').unchecked('DATABASE_URL cannot be used')] };
  }
  try {
    return await checkDatabase(config, Object.keys(deps.migrations));
  } catch (error) {
    return { ...unusable, findings: [ownFault('database', error)] };
  }
}

/** Opens the database. Returns undefined if the inspection found that Foyer cannot read it, or if it does not open. */
function openUnlessBroken({ open }: DatabaseCheck): ReadableDatabase | undefined {
  try {
    return open?.();
  } catch {
    return undefined;
  }
}

/** Runs one check. If it throws, the error becomes a finding, so that the other findings are still reported. */
async function findings(check: string, work: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    return [ownFault(check, error)];
  }
}

function ownFault(check: string, error: unknown): Finding {
  return findingsOf(check).unchecked(`the check itself failed (${messageOf(error)})`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
