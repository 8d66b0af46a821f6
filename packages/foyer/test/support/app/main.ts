import { serve } from '../../../src/index.ts';
import { definition } from './definition.ts';

await serve(definition);
