import { foyer } from '../../../foyer.ts';

// For hosts on which no process stays alive. A cron job requests this path every minute. Foyer then works for at most
// 20 seconds on what is due.

export const runtime = 'nodejs';

export async function GET(request: Request): Promise<Response> {
  const secret = process.env.CRON_SECRET;
  if (!secret || request.headers.get('authorization') !== `Bearer ${secret}`) {
    return new Response('unauthorized', { status: 401 });
  }
  return Response.json(await foyer.drain({ deadlineMs: 20_000 }));
}
