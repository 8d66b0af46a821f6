export { readConfig } from './config/config.ts';
