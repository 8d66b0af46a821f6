import { checkBlocks } from '../blocks/check-blocks.ts';
import { completeBlocks } from '../blocks/complete-blocks.ts';
import { createFaultList, isRecord } from '../blocks/fault-list.ts';
import type { Message, MessageMetadata } from '../world/records.ts';
import type { CallArguments } from './call-arguments.ts';
import { Refusal } from './refusal.ts';

/**
 * In characters. The sandbox refuses a longer text. Slack truncates it, and refuses only a text that is much longer.
 */
const longestText = 40_000;

/** Reads and checks what a message says. Throws `no_text`, `msg_too_long`, `invalid_blocks(_format)`, … */
export function readMessageContent(
  args: CallArguments,
): Pick<Message, 'text' | 'blocks' | 'attachments' | 'metadata'> {
  const text = args.text('text') ?? '';
  if (text.length > longestText) throw new Refusal('msg_too_long');
  const blocks = readBlocks(args);
  const attachments = args.json('attachments', 'invalid_attachments');
  if (attachments !== undefined && !Array.isArray(attachments)) throw new Refusal('invalid_attachments');
  if (text === '' && !blocks?.length && !attachments?.length) throw new Refusal('no_text');
  return { text, blocks, attachments: attachments ?? null, metadata: readMetadata(args) };
}

function readBlocks(args: CallArguments): Message['blocks'] {
  const blocks = args.json('blocks', 'invalid_blocks_format');
  if (blocks === undefined) return null;
  if (!Array.isArray(blocks)) throw new Refusal('invalid_blocks_format');
  const faults = createFaultList();
  checkBlocks(faults, blocks, '/blocks', 'message');
  if (faults.messages.length > 0) {
    const errors = faults.messages.map((message) => message.replace('[ERROR] ', ''));
    throw new Refusal('invalid_blocks', { errors, response_metadata: { messages: faults.messages } });
  }
  return completeBlocks(blocks);
}

function readMetadata(args: CallArguments): MessageMetadata | null {
  const metadata = args.json('metadata', 'invalid_metadata_format');
  if (metadata === undefined) return null;
  if (!isRecord(metadata) || typeof metadata.event_type !== 'string' || !isRecord(metadata.event_payload)) {
    throw new Refusal('invalid_metadata_format');
  }
  if (JSON.stringify(metadata.event_payload).length > 16_000) throw new Refusal('metadata_too_large');
  return { event_type: metadata.event_type, event_payload: metadata.event_payload };
}
