import { blockLimits as limits } from './block-limits.ts';
import { checkElement, checkImage, checkText } from './check-elements.ts';
import { type FaultList, isRecord } from './fault-list.ts';

export type Surface = 'message' | 'home' | 'modal';

type BlockCheck = (faults: FaultList, block: Record<string, unknown>, pointer: string) => void;

const blockChecks: Record<string, BlockCheck> = {
  section: checkSection,
  header: (faults, block, at) =>
    checkText(faults, block.text, `${at}/text`, limits.headerText, { plain: true }),
  divider: () => {},
  image(faults, block, at) {
    checkImage(faults, block, at);
    checkText(faults, block.title, `${at}/title`, limits.imageTitle, { plain: true, required: false });
  },
  actions(faults, block, at) {
    faults.list(block.elements, `${at}/elements`, 1, limits.actionsElements).forEach((element, index) => {
      checkElement(faults, element, `${at}/elements/${index}`);
    });
  },
  context: checkContext,
  input(faults, block, at) {
    checkText(faults, block.label, `${at}/label`, limits.inputLabel, { plain: true });
    checkText(faults, block.hint, `${at}/hint`, limits.inputLabel, { plain: true, required: false });
    if (block.element === undefined) faults.add(at, 'missing required field: element');
    else checkElement(faults, block.element, `${at}/element`);
  },
  rich_text: (faults, block, at) => void faults.list(block.elements, `${at}/elements`, 0, 100),
  video(faults, block, at) {
    faults.text(block.alt_text, `${at}/alt_text`, limits.altText, { required: true });
    checkText(faults, block.title, `${at}/title`, 200, { plain: true });
  },
  markdown: (faults, block, at) => faults.text(block.text, `${at}/text`, 12_000, { required: true }),
  file: () => {},
  table: (faults, block, at) => void faults.list(block.rows, `${at}/rows`, 1, 100),
  context_actions: (faults, block, at) => void faults.list(block.elements, `${at}/elements`, 1, 5),
};

/** Blocks that only messages may contain. */
const messageOnly = new Set(['file', 'markdown', 'table', 'context_actions']);

function checkSection(faults: FaultList, block: Record<string, unknown>, pointer: string): void {
  const hasFields = block.fields !== undefined;
  checkText(faults, block.text, `${pointer}/text`, limits.sectionText, { required: !hasFields });
  if (hasFields) {
    faults.list(block.fields, `${pointer}/fields`, 1, limits.sectionFields).forEach((field, index) => {
      checkText(faults, field, `${pointer}/fields/${index}`, limits.fieldText);
    });
  }
  if (block.accessory !== undefined) checkElement(faults, block.accessory, `${pointer}/accessory`);
}

function checkContext(faults: FaultList, block: Record<string, unknown>, pointer: string): void {
  faults.list(block.elements, `${pointer}/elements`, 1, limits.contextElements).forEach((element, index) => {
    const at = `${pointer}/elements/${index}`;
    if (isRecord(element) && element.type === 'image') checkImage(faults, element, at);
    else checkText(faults, element, at, limits.sectionText);
  });
}

/** Checks blocks against Slack's shapes and limits. Adds each problem and its JSON pointer to `faults`. */
export function checkBlocks(faults: FaultList, blocks: unknown, pointer: string, surface: Surface): void {
  const max = surface === 'message' ? limits.blocksPerMessage : limits.blocksPerView;
  const ids = new Set<unknown>();
  faults.list(blocks, pointer, 0, max).forEach((block, index) => {
    const at = `${pointer}/${index}`;
    if (!isRecord(block)) {
      faults.add(at, 'must be an object');
      return;
    }
    const check = blockChecks[String(block.type)];
    if (!check || (messageOnly.has(String(block.type)) && surface !== 'message')) {
      faults.add(`${at}/type`, `unsupported type: ${String(block.type)}`);
      return;
    }
    faults.text(block.block_id, `${at}/block_id`, limits.id, { mayBeEmpty: true });
    if (block.block_id && ids.has(block.block_id)) faults.add(`${at}/block_id`, `block_id already exists`);
    if (block.block_id) ids.add(block.block_id);
    check(faults, block, at);
  });
}
