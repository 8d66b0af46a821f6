import { type AppFace, contrastAdvice, faceProblem } from './app-face.ts';
import type { OfferedApp } from './offer-app.ts';
import {
  clientIdProblem,
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

/** The current values. Each is the default answer to its question. */
export interface Suggestions {
  publicUrl: string;
  /** Undefined if the app has no manifest file: then setup could not write the answers, so it does not ask for them. */
  face: AppFace | undefined;
  /**
   * The links to ask for, with their current values. Excludes a link that the brand sets: the brand overrides the
   * answer.
   */
  links: Readonly<Partial<Record<LinkName, string>>>;
}

/** Thrown if a question of `setup` is cancelled. */
export class SetupCancelledError extends Error {
  override readonly name = 'SetupCancelledError';
}

/** The functions that ask the questions of `setup`. If the person cancels, they throw a SetupCancelledError. */
type Questions = ReturnType<typeof endOnCancel>;

function endOnCancel({ text, secret, confirm, tell }: SetupPrompts) {
  async function answered<T>(asked: Promise<T | undefined>): Promise<T> {
    const answer = await asked;
    if (answer === undefined) throw new SetupCancelledError('setup was canceled');
    return answer;
  }
  return {
    text: async (question: Parameters<typeof text>[0]) => (await answered(text(question))).trim(),
    secret: async (question: Parameters<typeof secret>[0]) => (await answered(secret(question))).trim(),
    confirm: (message: string, initialValue: boolean) => answered(confirm({ message, initialValue })),
    tell,
  };
}

/**
 * Asks for the missing settings, in the order in which a newcomer gets them: the app's name and look, its URL, and its
 * secrets from Slack. Calls `offerApp` before it asks for the secrets: they do not exist until Slack has created the
 * app from the manifest with the first answers.
 * @throws SetupCancelledError
 */
export async function askSettings(
  prompts: SetupPrompts,
  given: Partial<Settings>,
  suggested: Suggestions,
  offerApp: (
    publicUrl: string,
    face: AppFace | undefined,
    confirm: Questions['confirm'],
  ) => Promise<OfferedApp>,
): Promise<{ settings: Settings; app: OfferedApp }> {
  const ask = endOnCancel(prompts);
  const face = suggested.face && (await askFace(ask, suggested.face));
  const links = await askLinks(ask, suggested.links);
  const publicUrl = given.publicUrl ?? (await askPublicUrl(ask, suggested.publicUrl));
  const app = await offerApp(publicUrl, face, ask.confirm);
  const credentials = await askCredentials(ask, given);
  const production =
    given.production ??
    (publicUrl.startsWith('https:') &&
      (await ask.confirm('Will this Foyer serve real workspaces (NODE_ENV=production)?', false)));
  return { settings: { publicUrl, ...credentials, production, links }, app };
}

async function askFace(ask: Questions, before: AppFace): Promise<AppFace> {
  const askPart = (part: keyof AppFace, message: string) =>
    ask.text({ message, initialValue: before[part], validate: faceProblem[part] });
  const name = await askPart('name', 'What is your app called?');
  const description = await askPart('description', 'What does it do, in one line?');
  const color = await askPart('color', 'What is its background color (#rrggbb)?');
  const advice = contrastAdvice(color);
  if (advice !== undefined) ask.tell('Color', advice);
  return { name, description, color };
}

const linkQuestions: Readonly<Record<LinkName, string>> = {
  PRIVACY_URL: 'Where is your privacy policy? (https://…, or empty)',
  SUPPORT_URL: 'Where do people get help? (https://… or mailto:…, or empty)',
};

/** Resolves to the links that changed. */
async function askLinks(ask: Questions, before: Suggestions['links']): Promise<Settings['links']> {
  const links: Partial<Record<LinkName, string>> = {};
  for (const name of linkNames) {
    const initialValue = before[name];
    if (initialValue === undefined) continue;
    const validate = (text: string) => linkProblem(name, text);
    const answer = await ask.text({ message: linkQuestions[name], initialValue, validate });
    if (answer !== initialValue) links[name] = answer;
  }
  return links;
}

type Credentials = Pick<Settings, 'clientId' | 'clientSecret' | 'signingSecret'>;

/** Asks whether to keep existing credentials: they may be wrong, or belong to another app. */
async function askCredentials(ask: Questions, given: Partial<Settings>): Promise<Credentials> {
  const { clientId, clientSecret, signingSecret } = given;
  if (clientId === undefined || clientSecret === undefined || signingSecret === undefined) {
    return askNewCredentials(ask, given);
  }
  const keep = await ask.confirm(`Keep the secrets that are already set for the app ${clientId}?`, true);
  return keep ? { clientId, clientSecret, signingSecret } : askNewCredentials(ask, {});
}

async function askNewCredentials(ask: Questions, given: Partial<Settings>): Promise<Credentials> {
  const question = (name: string) => ({
    message: `${name} (Basic Information → App Credentials)`,
    validate: credentialProblem,
  });
  const clientId =
    given.clientId ?? (await ask.text({ ...question('Client ID'), validate: clientIdProblem }));
  const clientSecret = given.clientSecret ?? (await ask.secret(question('Client Secret')));
  const isTheOther = (text: string) =>
    text.trim() === clientSecret
      ? 'That is the Client Secret. The Signing Secret is a different one'
      : undefined;
  const validate = (text: string) => credentialProblem(text) ?? isTheOther(text);
  const signingSecret =
    given.signingSecret ?? (await ask.secret({ ...question('Signing Secret'), validate }));
  return { clientId, clientSecret, signingSecret };
}

async function askPublicUrl(ask: Questions, suggested: string): Promise<string> {
  const answer = await ask.text({
    message: 'What is the address at which browsers and Slack will reach Foyer?',
    initialValue: suggested,
    validate: publicUrlProblem,
  });
  const publicUrl = publicUrlOf(answer);
  const advice = httpAdvice(publicUrl);
  if (advice !== undefined) ask.tell('https', advice);
  return publicUrl;
}
