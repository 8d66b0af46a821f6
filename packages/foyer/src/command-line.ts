import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Config, isStartedByNpm, readEnvironment, readPublicUrl, readSignsIn } from './config/config.ts';
import { createLogger, type Logger } from './config/log.ts';
import type { Database } from './database/database.ts';
import {
  type FoyerDefinition,
  manifestFile,
  manifestText,
  namesOfSteps,
  resolveConfig,
} from './define-foyer.ts';
import { completeBrand } from './http/brand.ts';
import { createInstallationStore } from './installations/create-installation-store.ts';
import { createTokenSource } from './installations/create-token-source.ts';
import type { InstallationStore } from './installations/installation-store.ts';
import { createKeyring, type Keyring } from './installations/keyring.ts';
import { localCommands } from './operator/local-commands.ts';
import { loadExistingKeyring, openExistingDatabase } from './operator/open-existing-database.ts';
import { runOperatorCommand } from './operator/operator-program.ts';
import { createSetupPrompts } from './operator/setup/setup-prompts.ts';
import { createOutput } from './operator/terminal/output.ts';
import { createProgressBar } from './operator/terminal/progress-bar.ts';
import type { SlackClientFactory } from './slack/create-slack-client.ts';
import { createTexts } from './texts/create-texts.ts';

/** Runs one operator command, with the server's parts but without a server. `runCommand` documents the result. */
export async function runCommandLine<MyTables>(
  definition: FoyerDefinition<MyTables>,
  argv: readonly string[],
): Promise<0 | 1 | 2> {
  const { stdin, stdout, stderr } = process;
  const now = (): number => Date.now();
  const basePath = definition.basePath ?? '';
  const { stepNames, uninstallStepNames, momentStepNames } = namesOfSteps(definition);
  const quiet = (config: Config): Logger =>
    createLogger({ ...config, logLevel: 'silent' }, { pretty: false });

  function createStore(config: Config, database: Database, keyring: Keyring): InstallationStore {
    const { clientId } = config.slack;
    return createInstallationStore({
      ...{ database, keyring, clientId, ...namesOfSteps(definition, config.notify), now },
      log: quiet(config),
    });
  }

  /** Imports Slack's SDK only when it is needed: most commands do not call Slack. */
  async function slackClients(config: Config): Promise<SlackClientFactory> {
    const { createSlackClientFactory } = await import('./slack/create-slack-client.ts');
    return createSlackClientFactory({ config, log: quiet(config) });
  }

  async function ask(question: string): Promise<boolean> {
    const { confirm, isCancel } = await import('@clack/prompts');
    const answer = await confirm({ message: question, initialValue: false, input: stdin, output: stderr });
    return !isCancel(answer) && answer;
  }

  async function readStdin(): Promise<string> {
    const parts: Buffer[] = [];
    for await (const part of stdin) parts.push(Buffer.from(part));
    return Buffer.concat(parts).toString('utf8');
  }

  // It is not an error if the reader of the output stops early (`list | head`). It is an error if the output cannot be
  // written, for example because the disk is full.
  let outputLost: NodeJS.ErrnoException | undefined;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') outputLost ??= error;
  });

  const canAsk = stdin.isTTY && stderr.isTTY;
  const exitCode = await runOperatorCommand(
    {
      output: createOutput({ stdout, stderr }),
      now,
      readConfig: () => resolveConfig(definition),
      definition: {
        options: Object.keys(definition),
        install: stepNames,
        uninstall: uninstallStepNames,
        moments: momentStepNames,
        jobs: (definition.jobs ?? []).map(({ name, everyMs }) => ({ name, everyMs })),
      },
      givenConfig: definition.config,
      readEnvironment,
      readPublicUrl: () => definition.config?.http.publicUrl ?? readPublicUrl(),
      readSignsIn: () => (definition.config ? definition.config.signIn !== undefined : readSignsIn()),
      basePath,
      readPresentation: (config) => ({
        brand: completeBrand(config, definition.brand),
        words: createTexts(definition.texts).forLocale('en'),
        cleansUp: uninstallStepNames.length > 0,
      }),
      readManifest: () => manifestText(definition),
      manifestFile: manifestFile(definition),
      brand: definition.brand,
      openDatabase: (target) => openExistingDatabase(target, definition.migrations),
      migrations: definition.migrations ?? {},
      loadKeyring: loadExistingKeyring,
      openStore: (config, database) => createStore(config, database, loadExistingKeyring(config)),
      openTokens: async (config, database) =>
        createTokenSource({
          ...{ config, database, store: createStore(config, database, loadExistingKeyring(config)) },
          ...{ slack: await slackClients(config), now, log: quiet(config) },
        }),
      openImporter: (config, database) => createStore(config, database, loadExistingKeyring(config)),
      openEraser(config, database) {
        // Erasing decrypts nothing and must not fail if a key is lost, so the eraser gets a new random key.
        const keyring = createKeyring([{ id: 'unused', base64: randomBytes(32).toString('base64') }]);
        return createStore(config, database, keyring);
      },
      slackClients,
      confirm: canAsk ? ask : undefined,
      prompts: canAsk ? createSetupPrompts({ input: stdin, output: stderr }) : undefined,
      readStdin,
      progress: createProgressBar(stderr),
      folder: process.cwd(),
      commands: localCommands({
        program: process.argv[1] ?? '',
        isStartedByNpm: isStartedByNpm(),
      }),
    },
    argv,
  );
  // The stream reports its last error only after this turn of the event loop.
  await setImmediate();
  if (!outputLost) return exitCode;
  stderr.write(
    `The output could not be written (${outputLost.code ?? outputLost.message}): it is incomplete.\n`,
  );
  return 1;
}
