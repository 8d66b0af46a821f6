import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { jsonReply, type Reply } from '../http/exchange.ts';

const assets = await loadAssets();

async function loadAssets(): Promise<Record<string, { type: string; text: string }>> {
  const own = (name: string) => readFile(new URL(`./${name}`, import.meta.url), 'utf8');
  const library = createRequire(import.meta.url).resolve('slack-blocks-to-jsx/dist/style.css');
  // Why: the library's rules select by an id, which a page can have only once. So replace the id with a class. The id
  // inside `:is` keeps the specificity of the rules.
  const blocksCss = (await readFile(library, 'utf8')).replaceAll(
    '#slack_blocks_to_jsx',
    ':is(.slack_blocks_to_jsx, #slack-blocks)',
  );
  return {
    'blocks.css': { type: 'text/css', text: blocksCss },
    'client.css': { type: 'text/css', text: await own('client.css') },
    'client.js': { type: 'text/javascript', text: await own('client.js') },
  };
}

/** Answers with a style sheet or script of the web client, or with 404 for any other name. */
export function assetReply(name: string): Reply {
  const asset = assets[name];
  if (!asset) return jsonReply({ ok: false, error: 'not_found' }, 404);
  return { headers: { 'content-type': `${asset.type}; charset=utf-8` }, body: asset.text };
}
