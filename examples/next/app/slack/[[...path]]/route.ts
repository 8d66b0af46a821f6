import { foyer } from '../../../foyer.ts';

// Foyer handles every path below /slack: Next passes a Request, and sends the Response.

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

export const GET = (request: Request): Promise<Response> => foyer.fetch(request);
export const POST = GET;
