import { credentialProblem, httpAdvice, publicUrlOf, publicUrlProblem, type Settings } from './settings.ts';
import type { SetupPrompts } from './setup-prompts.ts';

/**
 * Asks for what is not given, in the order in which a newcomer comes by it: the address, then the app that Slack makes
 * from the manifest with that address, then its secrets. `offerApp` is told the address in between. Resolves to
 * undefined when a question was cancelled.
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

  const fromSlack = (name: string) => `${name} (Basic Information → App Credentials)`;
  const clientId =
    given.clientId ?? (await prompts.text({ message: fromSlack('Client ID'), validate: credentialProblem }));
  if (clientId === undefined) return undefined;
  const clientSecret =
    given.clientSecret ??
    (await prompts.secret({ message: fromSlack('Client Secret'), validate: credentialProblem }));
  if (clientSecret === undefined) return undefined;
  const isTheOther = (text: string) =>
    text.trim() === clientSecret.trim()
      ? 'That is the Client Secret: the Signing Secret is another one'
      : undefined;
  const signingSecret =
    given.signingSecret ??
    (await prompts.secret({
      message: fromSlack('Signing Secret'),
      validate: (text) => credentialProblem(text) ?? isTheOther(text),
    }));
  if (signingSecret === undefined) return undefined;

  const production =
    given.production ??
    (publicUrl.startsWith('https:')
      ? await prompts.confirm({
          message: 'Will this Foyer serve real workspaces (NODE_ENV=production)?',
          initialValue: false,
        })
      : false);
  if (production === undefined) return undefined;
  return {
    publicUrl,
    clientId: clientId.trim(),
    clientSecret: clientSecret.trim(),
    signingSecret: signingSecret.trim(),
    production,
  };
}

async function askPublicUrl(prompts: SetupPrompts, suggested: string): Promise<string | undefined> {
  const answer = await prompts.text({
    message: 'At which address will browsers and Slack reach Foyer?',
    initialValue: suggested,
    validate: publicUrlProblem,
  });
  if (answer === undefined) return undefined;
  const publicUrl = publicUrlOf(answer);
  const advice = httpAdvice(publicUrl);
  if (advice !== undefined) prompts.tell('https', advice);
  return publicUrl;
}
