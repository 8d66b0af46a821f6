import { runCommand } from '../../../src/index.ts';
import { definition } from './definition.ts';

process.exitCode = await runCommand(definition, process.argv.slice(2));
