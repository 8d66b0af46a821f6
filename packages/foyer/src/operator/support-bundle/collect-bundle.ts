import { statSync } from 'node:fs';
import { release } from 'node:os';
import { type Config, isStartedByNpm } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import { createScrubber } from '../../config/log.ts';
import { foyerVersion } from '../../config/version.ts';
import { lastBackupAt } from '../../database/last-backup.ts';
import { readLedgers } from '../../database/migrate.ts';
import { readPostgres } from '../../database/postgres/inspect-postgres.ts';
import { readUntouched, sqliteVersion } from '../../database/sqlite/inspect-sqlite.ts';
import { askProcesses } from '../doctor/check-process.ts';
import type { ReadableDatabase } from '../doctor/database-findings.ts';
import { readSetting, type Setting } from '../doctor/read-setting.ts';
import { runDoctor } from '../doctor/run-doctor.ts';
import { isoTime } from '../install-record-json.ts';
import { countInstallations } from '../installation-lists.ts';
import { inLocalCommands } from '../local-commands.ts';
import type { OperatorDeps } from '../operator-deps.ts';
import { describeConfig, describeVariables, secretsOf } from './describe-settings.ts';
import { countRequests, countRuns, readFailedSteps, readServerVersion } from './read-counts.ts';

/**
 * Why each part is collected separately: people need a bundle when something is broken, so any part may fail. A part
 * that fails is null, and `missing` has the reason.
 */

/** A part that could not be collected, and the reason. */
interface MissingPart {
  part: string;
  reason: string;
}

/** Collects one part. If that fails, resolves to null and adds an entry to `missing`. */
type Collect = <T>(part: string, work: () => T | Promise<T>) => Promise<T | null>;

export type SupportBundle = Awaited<ReturnType<typeof collectBundle>>;

/** Collects what someone needs to help with a broken Foyer. Changes nothing. The bundle contains no secret. */
export async function collectBundle(deps: OperatorDeps, { offline }: { offline: boolean }) {
  const missing: MissingPart[] = [];
  const collect: Collect = async (part, work) => {
    try {
      return await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      missing.push({ part, reason: inLocalCommands(reason, deps.commands) });
      return null;
    }
  };
  const environment = (await collect('variables', deps.readEnvironment)) ?? {};
  const setting = await collect('configuration', () => readSetting(deps));
  const start = await collect('start', () => tryConfig(deps));
  const config = start?.config;
  const doctor = await collect('doctor', () => runDoctor(deps, { offline }));
  const bundle = {
    madeAt: isoTime(deps.now()),
    versions: {
      foyer: foyerVersion,
      node: process.version,
      platform: `${process.platform} ${process.arch} ${release()}`,
      startedByNpm: isStartedByNpm(),
    },
    configuration: {
      from: deps.givenConfig ? 'definition' : 'environment',
      problems: start?.problems ?? [],
      inUse: config ? describeConfig(config) : null,
      variables: describeVariables(environment),
    },
    definition: deps.definition,
    doctor,
    processes: await collect('processes', () => processReports(deps, setting, offline)),
    database: await readDatabase(deps, setting, collect),
    missing,
  };
  const secrets = [
    ...secretsOf(environment),
    ...(setting?.config?.secrets ?? []),
    ...(config?.secrets ?? []),
  ];
  return scrubbed(bundle, createScrubber(secrets));
}

/**
 * Returns the configuration that Foyer would start with. If Foyer cannot start, returns every problem with the
 * environment, the manifest and the definition.
 */
function tryConfig({ readConfig }: OperatorDeps) {
  try {
    return { config: readConfig(), problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { config: undefined, problems: error.problems };
    throw error;
  }
}

/**
 * Returns the reports of the Foyer at PUBLIC_URL and of the Foyer on this machine, or one report if both are the same
 * process. The reports do not contain the fingerprints of the settings: doctor has compared these. Throws if neither
 * Foyer sends a report, or if `offline` is true.
 */
async function processReports(deps: OperatorDeps, setting: Setting | null, offline: boolean) {
  if (offline) throw new Error('--offline was given.');
  const config = usable(setting, 'PUBLIC_URL', 'TOKEN_ENCRYPTION_KEYS', 'DATABASE_URL');
  const { atPublicUrl, here } = await askProcesses(config, deps.loadKeyring(config), deps.now());
  const reports = [atPublicUrl, here].flatMap((answer) => {
    if (answer.kind !== 'report') return [];
    const { settings: _left, startedAt, slack, ...report } = answer.report;
    const seen = { ...slack, lastVerifiedAt: isoTime(slack.lastVerifiedAt) };
    return [{ ...report, isReady: answer.isReady, startedAt: isoTime(startedAt), slack: seen }];
  });
  if (reports.length === 0) {
    throw new Error(
      `No Foyer that uses the configured encryption keys answers at ${config.http.baseUrl} or on this machine.`,
    );
  }
  return [...new Map(reports.map((report) => [report.process, report])).values()];
}

async function readDatabase(deps: OperatorDeps, setting: Setting | null, collect: Collect) {
  const reached = await collect('database', async () => {
    const { database } = usable(setting, 'DATABASE_URL');
    const opened = openToRead(database);
    try {
      const ledgers = await readLedgers(opened.queries);
      const version = database.kind === 'sqlite' ? sqliteVersion() : await readServerVersion(opened.queries);
      return { opened, engine: { name: database.kind, version }, migrations: ledgers };
    } catch (error) {
      await opened.close();
      throw error;
    }
  });
  if (!reached) return null;
  const { opened, engine, migrations } = reached;
  const { queries } = opened;
  const ofApp = <T>(part: string, read: (clientId: string) => Promise<T>) =>
    collect(part, () => read(usable(setting, 'SLACK_CLIENT_ID').slack.clientId));
  try {
    return {
      engine,
      migrations,
      installations: await ofApp('installations', (clientId) => countInstallations(queries, clientId)),
      runs: await ofApp('runs', (clientId) => countRuns(queries, clientId)),
      failedSteps: await ofApp('failed steps', (clientId) => readFailedSteps(queries, clientId)),
      requestsOfLastDay: await ofApp('install requests', (clientId) =>
        countRequests(queries, { clientId, now: deps.now() }),
      ),
      lastBackupAt: await collect('last backup', async () => {
        const at = await lastBackupAt(queries);
        return at === undefined ? null : isoTime(at);
      }),
    };
  } finally {
    await opened.close();
  }
}

function openToRead(target: Config['database']): ReadableDatabase {
  if (target.kind === 'postgres') return readPostgres(target.url);
  if (!statSync(target.file, { throwIfNoEntry: false })?.size) {
    throw new Error(`There is no database at ${target.file}.`);
  }
  return readUntouched(target.file);
}

/** Returns the configuration. Throws if one of these variables cannot be used. */
function usable(setting: Setting | null, ...names: string[]): Config {
  const wrong = setting?.wrongOf(...names) ?? [];
  if (wrong.length > 0) throw new Error(`${wrong.join(', ')} cannot be used.`);
  if (!setting?.config) throw new Error('The configuration cannot be used.');
  return setting.config;
}

/**
 * Matches a mail address: doctor's findings may quote an answer of a mail server. Does not match the user and host of a
 * URL.
 */
const mailAddress = /(?<=^|[\s<>()"'`,;:])[^\s@<>()[\]"'`,;:/]+@[^\s@<>()[\]"'`,;:/]+\.\p{L}{2,}/gu;

/** Returns the same value, with every secret and mail address in its texts hidden. */
function scrubbed<T>(value: T, scrub: (text: string) => string): T {
  const walk = (inner: unknown): unknown => {
    if (typeof inner === 'string') return scrub(inner).replace(mailAddress, '[mail address]');
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, each]) => [name, walk(each)]));
  };
  // `walk` keeps the shape of the value and replaces only texts.
  return walk(value) as T;
}
