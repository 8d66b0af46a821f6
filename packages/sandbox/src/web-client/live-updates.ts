import type { Activity } from '../app/activity.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Platform } from '../platform.ts';

/** Sends each activity to every open page as a server-sent event; the page then fetches the part that it shows. */
export function streamActivity({ activity }: Platform, { request, response }: Exchange): null {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': hello\n\n');
  const stop = activity.listen((happened: Activity) => {
    response.write(`data: ${JSON.stringify({ kind: happened.kind })}\n\n`);
  });
  request.once('close', stop);
  return null;
}
