import { credentialProblem, httpAdvice, publicUrlOf, publicUrlProblem, type Settings } from './settings.ts';
import type { SetupPrompts } from './setup-prompts.ts';

/**
 * Asks for missing settings, in the order in which a newcomer gets them: the address, then the app that Slack creates
 * from the manifest with that address, then its secrets. Calls `offerApp` with the address in between. Resolves to
 * undefined if a question was cancelled.
 */
export async function askSettings(
  prompts: SetupPrompts,
  given: Partial<Settings>,
  suggested: { publicUrl: string },
  offerApp: (publicUrl: string) => void,
): Promise<Settings | undefined> {
  const publicUrl = given.publicUrl ?? (await askPublicUrl(prompts, suggested.publicUrl));
  if (publicUrl === undefined) return undefined;
  offerApp(publicUrl);

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
  return production === undefined ? undefined : { publicUrl, ...credentials, production };
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
