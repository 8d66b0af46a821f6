import { type AppFace, contrastAdvice, faceProblem } from './app-face.ts';
import {
  credentialProblem,
  httpAdvice,
  type LinkName,
  linkNames,
  linkProblem,
  publicUrlOf,
  publicUrlProblem,
  type Settings,
} from './settings.ts';
import type { SetupPrompts } from './setup-prompts.ts';

/** What is there: each is the default of its question. */
export interface Suggestions {
  publicUrl: string;
  /** Undefined if the manifest is not a file of the app: then setup cannot write the answers, and does not ask. */
  face: AppFace | undefined;
  /** The links that are asked for, with their values; a brand that gives one decides, so it is not among them. */
  links: Readonly<Partial<Record<LinkName, string>>>;
}

/**
 * Asks for missing settings, in the order in which a newcomer gets them: what the app is, its address, then the app that
 * Slack creates from the manifest with both, then its secrets. Calls `offerApp` in between. Resolves to undefined if a
 * question was cancelled.
 */
export async function askSettings(
  prompts: SetupPrompts,
  given: Partial<Settings>,
  suggested: Suggestions,
  offerApp: (publicUrl: string, face: AppFace | undefined) => Promise<boolean>,
): Promise<Settings | undefined> {
  const face = suggested.face && (await askFace(prompts, suggested.face));
  if (suggested.face && face === undefined) return undefined;
  const links = await askLinks(prompts, suggested.links);
  if (links === undefined) return undefined;
  const publicUrl = given.publicUrl ?? (await askPublicUrl(prompts, suggested.publicUrl));
  if (publicUrl === undefined) return undefined;
  if (!(await offerApp(publicUrl, face))) return undefined;

  const credentials = await askCredentials(prompts, given);
  if (credentials === undefined) return undefined;
  const production =
    given.production ??
    (publicUrl.startsWith('https:')
      ? await prompts.confirm({
          message: 'Will this Foyer serve real workspaces (NODE_ENV=production)?',
          initialValue: false,
        })
      : false);
  return production === undefined ? undefined : { publicUrl, ...credentials, production, links };
}

async function askFace(prompts: SetupPrompts, before: AppFace): Promise<AppFace | undefined> {
  const ask = async (part: keyof AppFace, message: string): Promise<string | undefined> =>
    (await prompts.text({ message, initialValue: before[part], validate: faceProblem[part] }))?.trim();
  const name = await ask('name', 'What is your app called?');
  if (name === undefined) return undefined;
  const description = await ask('description', 'What does it do, in one line?');
  if (description === undefined) return undefined;
  const color = await ask('color', 'What is its background color (#rrggbb)?');
  if (color === undefined) return undefined;
  const advice = contrastAdvice(color);
  if (advice !== undefined) prompts.tell('Color', advice);
  return { name, description, color };
}

const linkQuestions: Readonly<Record<LinkName, string>> = {
  PRIVACY_URL: 'Where is your privacy policy? (https://…, or empty)',
  SUPPORT_URL: 'Where do people get help? (https://… or mailto:…, or empty)',
};

/** Resolves to the links that changed. */
async function askLinks(
  prompts: SetupPrompts,
  before: Suggestions['links'],
): Promise<Settings['links'] | undefined> {
  const links: Partial<Record<LinkName, string>> = {};
  for (const name of linkNames) {
    const initialValue = before[name];
    if (initialValue === undefined) continue;
    const validate = (text: string) => linkProblem(name, text);
    const answer = await prompts.text({ message: linkQuestions[name], initialValue, validate });
    if (answer === undefined) return undefined;
    if (answer.trim() !== initialValue) links[name] = answer.trim();
  }
  return links;
}

type Credentials = Pick<Settings, 'clientId' | 'clientSecret' | 'signingSecret'>;

/** Asks whether to keep existing credentials: they may be wrong, or another app's. */
async function askCredentials(
  prompts: SetupPrompts,
  given: Partial<Settings>,
): Promise<Credentials | undefined> {
  const { clientId, clientSecret, signingSecret } = given;
  if (clientId === undefined || clientSecret === undefined || signingSecret === undefined) {
    return askNewCredentials(prompts, given);
  }
  const message = `Keep the secrets that are already set for the app ${clientId}?`;
  const keep = await prompts.confirm({ message, initialValue: true });
  if (keep === undefined) return undefined;
  return keep ? { clientId, clientSecret, signingSecret } : askNewCredentials(prompts, {});
}

async function askNewCredentials(
  prompts: SetupPrompts,
  given: Partial<Settings>,
): Promise<Credentials | undefined> {
  const question = (name: string) => ({
    message: `${name} (Basic Information → App Credentials)`,
    validate: credentialProblem,
  });
  const clientId = (given.clientId ?? (await prompts.text(question('Client ID'))))?.trim();
  if (clientId === undefined) return undefined;
  const clientSecret = (given.clientSecret ?? (await prompts.secret(question('Client Secret'))))?.trim();
  if (clientSecret === undefined) return undefined;
  const isTheOther = (text: string) =>
    text.trim() === clientSecret
      ? 'That is the Client Secret. The Signing Secret is a different one'
      : undefined;
  const validate = (text: string) => credentialProblem(text) ?? isTheOther(text);
  const asked = given.signingSecret ?? (await prompts.secret({ ...question('Signing Secret'), validate }));
  return asked === undefined ? undefined : { clientId, clientSecret, signingSecret: asked.trim() };
}

async function askPublicUrl(prompts: SetupPrompts, suggested: string): Promise<string | undefined> {
  const answer = await prompts.text({
    message: 'What is the address at which browsers and Slack will reach Foyer?',
    initialValue: suggested,
    validate: publicUrlProblem,
  });
  if (answer === undefined) return undefined;
  const publicUrl = publicUrlOf(answer);
  const advice = httpAdvice(publicUrl);
  if (advice !== undefined) prompts.tell('https', advice);
  return publicUrl;
}
