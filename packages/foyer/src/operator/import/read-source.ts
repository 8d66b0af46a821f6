import { createReadStream, type Dirent, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { createInterface } from 'node:readline';
import type { Installation } from '@slack/oauth';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';

/** One installation of another store, or why Foyer cannot import it. */
export interface SourceEntry {
  /** Where the operator finds the entry: the file and, if the source is a file of lines, the line. */
  at: string;
  /** When the entry was written, in milliseconds since 1970; undefined if the source does not say. */
  writtenAt: number | undefined;
  read: { installation: Installation } | { refusal: string };
}

/** Any real installation is far shorter than this, so a longer text is refused. */
const mostCharacters = 200_000;

const id = z.string().regex(/^[A-Z0-9]{2,40}$/);
const token = z.string().regex(/^xox[a-z0-9.-]*-\S{1,1000}$/);
const optional = <Value extends z.ZodType>(value: Value) =>
  value.nullish().transform((one) => one ?? undefined);
const grant = { refreshToken: optional(token), expiresAt: optional(z.number().int().positive()) };
const place = z.looseObject({ id, name: optional(z.string()) });

/** The shape that `@slack/oauth` documents (docs.slack.dev/tools/node-slack-sdk/oauth#storing-installations). */
const installation = z.looseObject({
  team: optional(place),
  enterprise: optional(place),
  isEnterpriseInstall: optional(z.boolean()),
  user: z.looseObject({ id, token: optional(token), scopes: optional(z.array(z.string())), ...grant }),
  bot: optional(z.looseObject({ id, userId: id, token, scopes: z.array(z.string()), ...grant })),
  authVersion: optional(z.string()),
});

/**
 * Reads installations from the folder of `@slack/oauth`'s FileInstallationStore, or from a file with one Installation
 * as JSON on each line. If the name of a folder begins with another app's client id, yields a refusal instead of the
 * installations in that folder.
 * @throws CommandError if there is no such source
 */
export async function* readSource(source: string, clientId: string): AsyncGenerator<SourceEntry> {
  const found = statSync(source, { throwIfNoEntry: false });
  if (found && !found.isFile() && !found.isDirectory())
    throw new CommandError(`${source} is neither a file nor a folder.`);
  const folders = found?.isFile() ? [] : [...(found ? [source] : []), ...foldersBeside(source)];
  if (!found && folders.length === 0) throw new CommandError(`${source} does not exist.`);
  if (folders.length > 0) for (const folder of folders) yield* readFolder(folder, clientId);
  else yield* readLines(source);
}

async function* readLines(file: string): AsyncGenerator<SourceEntry> {
  let number = 0;
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    number += 1;
    if (line.trim() !== '') yield { at: `${file}:${number}`, writtenAt: undefined, read: parse(line) };
  }
}

/**
 * Reads each tenant's folder. First comes `app-latest`, which contains the bot and the installer. Then come the other
 * people's tokens, without the bot: the bot in their files is an older copy.
 */
function* readFolder(folder: string, clientId: string): Generator<SourceEntry> {
  for (const path of foldersWithin(folder)) {
    const names = files(path).map(({ name }) => name);
    if (!names.includes('app-latest')) continue;
    const ofApp = relative(dirname(folder), path).split(sep).map(clientIdIn).find(Boolean);
    if (ofApp !== undefined && ofApp !== clientId) {
      const refusal = `it belongs to the app with the client id ${ofApp}, not to SLACK_CLIENT_ID`;
      yield { at: path, writtenAt: undefined, read: { refusal } };
      continue;
    }
    const main = readOne(join(path, 'app-latest'));
    yield main;
    const installer = 'installation' in main.read ? main.read.installation.user.id : undefined;
    for (const name of names.sort()) {
      const [, userId] = /^user-([A-Z0-9]+)-latest$/.exec(name) ?? [];
      if (userId === undefined || userId === installer) continue;
      const entry = readOne(join(path, name));
      if ('refusal' in entry.read) yield entry;
      else if (entry.read.installation.user.token !== undefined) {
        yield { ...entry, read: { installation: { ...entry.read.installation, bot: undefined } } };
      }
    }
  }
}

/** Returns the client id at the start of a folder's name; undefined if there is none. */
function clientIdIn(name: string): string | undefined {
  return /^\d+\.\d+/.exec(name)?.[0];
}

/**
 * Finds folders next to the source, such as `installsT123` next to `installs`. They exist because `@slack/oauth`'s
 * store omits a path separator when it stores a workspace that has no enterprise.
 */
function foldersBeside(source: string): string[] {
  const [parent, name] = [dirname(source), basename(source)];
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((one) => one.isDirectory() && one.name.startsWith(name))
    .filter((one) => /^T[A-Z0-9]+$/.test(one.name.slice(name.length)))
    .map((one) => join(parent, one.name));
}

/**
 * Lists the folder and two levels of folders below it: the store may put the teams' folders into one folder per client
 * id.
 */
function foldersWithin(folder: string, depth = 2): string[] {
  const inside =
    depth === 0 ? [] : readdirSync(folder, { withFileTypes: true }).filter((one) => one.isDirectory());
  return [folder, ...inside.flatMap(({ name }) => foldersWithin(join(folder, name), depth - 1))];
}

function files(folder: string): Dirent[] {
  return readdirSync(folder, { withFileTypes: true }).filter((one) => one.isFile());
}

function readOne(file: string): SourceEntry {
  const { size, mtimeMs } = statSync(file);
  const text = size > mostCharacters ? undefined : readFileSync(file, 'utf8');
  return {
    at: file,
    writtenAt: Math.floor(mtimeMs),
    read: text === undefined ? { refusal: 'it is too large to be an installation' } : parse(text),
  };
}

/** Parses one installation. A refusal names fields but never their values, which may be secret. */
function parse(text: string): SourceEntry['read'] {
  if (text.length > mostCharacters) return { refusal: 'it is too large to be an installation' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { refusal: 'it is not JSON' };
  }
  const { data, error } = installation.safeParse(value);
  if (error) {
    const fields = [...new Set(error.issues.map(({ path }) => path.join('.') || 'the whole entry'))];
    return { refusal: `it is not an Installation of @slack/oauth; wrong or missing: ${fields.join(', ')}` };
  }
  const { team, enterprise, isEnterpriseInstall, bot, user } = data;
  if (data.authVersion === 'v1') {
    return { refusal: 'it comes from the old OAuth flow (v1), whose tokens are different' };
  }
  if (isEnterpriseInstall ? !enterprise : !team) {
    return { refusal: `it names no ${isEnterpriseInstall ? 'enterprise' : 'team'}` };
  }
  if (!bot && user.token === undefined) return { refusal: 'it holds no token' };
  return { installation: data as Installation };
}
