import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config-error.ts';

const manifestSchema = z.object({
  display_information: z.object({
    name: z.string().min(1),
    description: z.string().default(''),
    long_description: z.string().default(''),
    background_color: z.string().optional(),
  }),
  oauth_config: z.object({
    scopes: z.object({
      bot: z.array(z.string()).default([]),
      bot_optional: z.array(z.string()).default([]),
      user: z.array(z.string()).default([]),
      user_optional: z.array(z.string()).default([]),
    }),
  }),
});

/** The part of the app's manifest that Foyer needs. */
export type Manifest = z.output<typeof manifestSchema>;

/** Parses the manifest's text. If it is invalid, adds the problem and returns undefined. */
export function parseManifest(text: string, problems: ConfigProblem[]): Manifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    problems.push({
      name: 'manifest.json',
      problem: `cannot be read: ${reason}`,
      fix: 'restore it from the repository',
    });
    return undefined;
  }
}

/**
 * Reads the manifest's text. A relative path starts at the folder in which the process was started.
 * @throws ConfigError if it cannot be read; its cause is the file system's error
 */
export function readManifest(file: string | URL): string {
  try {
    // Strip the byte order mark that some editors write: JSON does not allow it.
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  } catch (cause) {
    const problem = `cannot be read: ${(cause as Error).message}`;
    const fix = 'restore it from the repository, as a file that this user can read';
    throw new ConfigError([{ name: 'manifest.json', problem, fix }], { cause });
  }
}
