import { serve } from 'slack-foyer';
import { definition } from './foyer.ts';

await serve(definition);
