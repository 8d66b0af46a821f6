import { PassThrough } from 'node:stream';
import type { Config } from '../../src/config/config.ts';
import { createLogger } from '../../src/config/log.ts';
import type { Database } from '../../src/database/database.ts';
import { createInstallationStore } from '../../src/installations/create-installation-store.ts';
import { createTokenSource } from '../../src/installations/create-token-source.ts';
import type { InstallationStore } from '../../src/installations/installation-store.ts';
import { loadExistingKeyring, openExistingDatabase } from '../../src/operator/open-existing-database.ts';
import type { OperatorDeps } from '../../src/operator/operator-deps.ts';
import { runOperatorCommand } from '../../src/operator/operator-program.ts';
import { createOutput } from '../../src/operator/terminal/output.ts';
import { createSlackClientFactory } from '../../src/slack/create-slack-client.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';
import type { Stage } from '../support/start-foyer.ts';
import type { CommandEnd } from './operator-harness.ts';

/** Runs an operator's command next to a running Foyer: with its database, its keys and its Slack. */
export async function commandOnStage(
  stage: Stage,
  commandLine: readonly string[],
  options: Partial<OperatorDeps> = {},
): Promise<CommandEnd> {
  const { config } = stage;
  const log = createLogger({ logLevel: 'silent', secrets: [] }, { pretty: false });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = { stdout: '', stderr: '' };
  stdout.on('data', (part) => {
    texts.stdout += part;
  });
  stderr.on('data', (part) => {
    texts.stderr += part;
  });
  const now = options.now ?? Date.now;
  const unused = (): never => {
    throw new Error('the command must not use this');
  };
  const openStore = (given: Config, database: Database): InstallationStore =>
    createInstallationStore({
      ...{ database, clientId: given.slack.clientId, stepNames: [], log, now },
      keyring: loadExistingKeyring(given),
    });
  const deps: OperatorDeps = {
    output: createOutput({ stdout, stderr }),
    now,
    readConfig: () => config,
    definition: { options: ['manifest'], install: ['register-team'], uninstall: [], jobs: [] },
    readPublicUrl: () => config.http.publicUrl,
    readSignsIn: () => config.signIn !== undefined,
    readManifest: () => fixtureManifest,
    basePath: '',
    openDatabase: openExistingDatabase,
    migrations: {},
    readEnvironment: () => ({}),
    loadKeyring: loadExistingKeyring,
    openStore,
    openTokens: async (given, database) =>
      createTokenSource({
        ...{ config: given, database, store: openStore(given, database), now, log },
        slack: createSlackClientFactory({ config: given, log }),
      }),
    readPresentation: unused,
    openImporter: unused,
    openEraser: unused,
    slackClients: async (given) => createSlackClientFactory({ config: given, log }),
    confirm: undefined,
    prompts: undefined,
    readStdin: unused,
    progress: () => {},
    folder: stage.folder,
    ...options,
  };
  const exitCode = await runOperatorCommand(deps, commandLine);
  return { exitCode, ...texts };
}
