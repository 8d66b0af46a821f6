import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ConfigFault } from './config-error.ts';

const manifestSchema = z.object({
  display_information: z.object({ name: z.string().min(1), description: z.string().default('') }),
  oauth_config: z.object({
    scopes: z.object({
      bot: z.array(z.string()).default([]),
      bot_optional: z.array(z.string()).default([]),
      user: z.array(z.string()).default([]),
      user_optional: z.array(z.string()).default([]),
    }),
  }),
});

/** What Foyer needs of the app's manifest. */
export type Manifest = z.output<typeof manifestSchema>;

/** Parses the manifest's text; where that cannot be done, adds the fault and returns undefined. */
export function parseManifest(text: string, faults: ConfigFault[]): Manifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    faults.push({
      name: 'manifest.json',
      problem: `cannot be read: ${reason}`,
      mend: 'restore it from the repository',
    });
    return undefined;
  }
}

/** The text of the app's manifest. */
export function readManifest(): string {
  return readFileSync(new URL('../../manifest.json', import.meta.url), 'utf8');
}
