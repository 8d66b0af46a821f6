import { type Reply, redirectReply } from '../http/exchange.ts';

/** Does what a form asked for and leads back to its page; what Slack would not do is said there. */
export async function afterForm(back: string, run: () => unknown): Promise<Reply> {
  try {
    await run();
    return redirectReply(back, 303);
  } catch (error) {
    const notice = error instanceof Error ? error.message : String(error);
    return redirectReply(`${back}?${new URLSearchParams({ notice })}`, 303);
  }
}
