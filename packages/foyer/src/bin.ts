#!/usr/bin/env node
// This import must come first: on an old Node, the other imports fail to load.
import '#require-node';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runCommand } from './run-command.ts';

/**
 * `npx slack-foyer COMMAND`: the operator's commands for an app that installed the package. The definition comes from
 * `--definition FILE`, or from the first of these files that exists. The file exports it as `definition` or as the
 * default export.
 */
const usualFiles = ['foyer.js', 'foyer.ts', 'src/foyer.js', 'src/foyer.ts'];

const args = process.argv.slice(2);
const at = args.indexOf('--definition');
const given = at < 0 ? undefined : args.splice(at, 2)[1];
const file = given ?? usualFiles.find((name) => existsSync(name));

if (file === undefined || !existsSync(file)) {
  const looked = given ?? usualFiles.join(', ');
  console.error(
    `There is no definition at ${looked}. Run this in your app's folder, or give --definition FILE: a module that exports the result of defineFoyer as \`definition\`.`,
  );
  process.exitCode = 2;
} else {
  const module = await import(pathToFileURL(resolve(file)).href);
  const definition = module.definition ?? module.default;
  if (typeof definition !== 'object' || definition === null || !('manifest' in definition)) {
    console.error(`${file} exports no \`definition\`. Export the result of defineFoyer under that name.`);
    process.exitCode = 2;
  } else process.exitCode = await runCommand(definition, args);
}
