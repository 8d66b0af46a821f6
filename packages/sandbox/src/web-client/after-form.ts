import { type Reply, redirectReply } from '../http/exchange.ts';

/** Runs a form's action and redirects back to the form's page. If the action throws, that page shows the error. */
export async function afterForm(back: string, run: () => unknown): Promise<Reply> {
  try {
    await run();
    return redirectReply(back, 303);
  } catch (error) {
    const notice = error instanceof Error ? error.message : String(error);
    return redirectReply(`${back}?${new URLSearchParams({ notice })}`, 303);
  }
}
