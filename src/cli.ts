import { runCommand } from 'slack-foyer';
import { definition } from './foyer.ts';

process.exitCode = await runCommand(definition, process.argv.slice(2));
