import { shortId } from '../ids.ts';
import type { Block } from '../world/records.ts';
import { isRecord } from './fault-list.ts';

/** Adds to checked blocks what Slack adds: block ids, action ids, and the flags of text objects. */
export function completeBlocks(blocks: readonly unknown[]): Block[] {
  return blocks.filter(isRecord).map((block) => {
    const completed = completeTexts(block) as Record<string, unknown>; // `block` is an object, so its copy is one too
    if (!completed.block_id) completed.block_id = shortId();
    for (const key of ['accessory', 'element']) completed[key] = withActionId(completed[key]);
    if (block.type === 'actions' && Array.isArray(completed.elements)) {
      completed.elements = completed.elements.map(withActionId);
    }
    return JSON.parse(JSON.stringify(completed)) as Block; // JSON drops undefined values; `type` was checked
  });
}

function withActionId(element: unknown): unknown {
  if (!isRecord(element) || element.type === 'image') return element;
  return { ...element, action_id: element.action_id || shortId() };
}

function completeTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(completeTexts);
  if (!isRecord(value)) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, completeTexts(part)]));
  if (value.type === 'plain_text' && typeof value.text === 'string') return { emoji: true, ...copy };
  if (value.type === 'mrkdwn' && typeof value.text === 'string') return { verbatim: false, ...copy };
  return copy;
}
