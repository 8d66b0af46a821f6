import { foyer } from '../../../foyer.ts';

// Every path below /slack: Next gives a Request and sends the Response.

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

export const GET = (request: Request): Promise<Response> => foyer.fetch(request);
export const POST = GET;
