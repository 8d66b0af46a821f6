import { foyer } from '../../../foyer.ts';

// Foyer handles every path below /slack: Next.js calls `GET` or `POST` with the request, and sends the response.

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

export const GET = (request: Request): Promise<Response> => foyer.fetch(request);
export const POST = GET;
