import { serve } from 'slack-foyer';
import { billing } from './billing.ts';

await serve(billing);
