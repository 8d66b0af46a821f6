import { blockLimits as limits } from './block-limits.ts';
import { type FaultList, isRecord } from './fault-list.ts';

/** Checks a text object: its type (only `plain_text` where Slack requires that), and its length. */
export function checkText(
  faults: FaultList,
  value: unknown,
  pointer: string,
  max: number,
  { plain = false, required = true }: { plain?: boolean; required?: boolean } = {},
): void {
  if (value === undefined || value === null) {
    if (required) faults.text(value, pointer, max, { required });
    return;
  }
  if (!isRecord(value)) {
    faults.add(pointer, 'must be an object');
    return;
  }
  if (value.type !== 'plain_text' && value.type !== 'mrkdwn') {
    faults.add(`${pointer}/type`, `unsupported type: ${String(value.type)}`);
    return;
  }
  if (plain && value.type !== 'plain_text') faults.add(`${pointer}/type`, 'must be one of: plain_text');
  faults.text(value.text, `${pointer}/text`, max, { required: true });
}

function checkOptions(faults: FaultList, value: unknown, pointer: string, max: number): void {
  faults.list(value, pointer, 1, max).forEach((option, index) => {
    const at = `${pointer}/${index}`;
    if (!isRecord(option)) {
      faults.add(at, 'must be an object');
      return;
    }
    checkText(faults, option.text, `${at}/text`, limits.optionText);
    faults.text(option.value, `${at}/value`, limits.optionValue, { required: true, mayBeEmpty: true });
  });
}

function checkConfirm(faults: FaultList, value: unknown, pointer: string): void {
  if (value === undefined) return;
  if (!isRecord(value)) {
    faults.add(pointer, 'must be an object');
    return;
  }
  checkText(faults, value.title, `${pointer}/title`, limits.confirmTitle, { plain: true, required: false });
  checkText(faults, value.text, `${pointer}/text`, limits.confirmText, { required: false });
  checkText(faults, value.confirm, `${pointer}/confirm`, limits.confirmButton, {
    plain: true,
    required: false,
  });
  checkText(faults, value.deny, `${pointer}/deny`, limits.confirmButton, { plain: true, required: false });
}

function checkButton(faults: FaultList, button: Record<string, unknown>, pointer: string): void {
  checkText(faults, button.text, `${pointer}/text`, limits.buttonText, { plain: true });
  faults.text(button.value, `${pointer}/value`, limits.buttonValue, { mayBeEmpty: true });
  faults.text(button.url, `${pointer}/url`, limits.url);
  if (typeof button.url === 'string' && !URL.canParse(button.url))
    faults.add(`${pointer}/url`, 'invalid url');
  if (button.style !== undefined && button.style !== 'primary' && button.style !== 'danger') {
    faults.add(`${pointer}/style`, 'must be one of: primary, danger');
  }
}

/** Checks the fields that an image block and an image element have in common. */
export function checkImage(faults: FaultList, image: Record<string, unknown>, pointer: string): void {
  if (image.slack_file === undefined) {
    faults.text(image.image_url, `${pointer}/image_url`, limits.url, { required: true });
    if (typeof image.image_url === 'string' && !URL.canParse(image.image_url)) {
      faults.add(`${pointer}/image_url`, 'invalid url');
    }
  }
  faults.text(image.alt_text, `${pointer}/alt_text`, limits.altText, { required: true });
}

const optionsAllowed: Record<string, number> = {
  overflow: limits.overflowOptions,
  checkboxes: limits.checkOptions,
  radio_buttons: limits.checkOptions,
};

/** The types of elements that the sandbox accepts. */
const knownElements = new Set(
  [
    'button overflow checkboxes radio_buttons static_select multi_static_select users_select multi_users_select',
    'conversations_select multi_conversations_select channels_select multi_channels_select external_select',
    'multi_external_select datepicker timepicker datetimepicker plain_text_input email_text_input url_text_input',
    'number_input rich_text_input file_input workflow_button image feedback_buttons icon_button',
  ]
    .join(' ')
    .split(' '),
);

/** Checks one element of an actions or input block, or an accessory. */
export function checkElement(faults: FaultList, element: unknown, pointer: string): void {
  if (!isRecord(element)) {
    faults.add(pointer, 'must be an object');
    return;
  }
  const type = String(element.type);
  if (!knownElements.has(type)) {
    faults.add(`${pointer}/type`, `unsupported type: ${type}`);
    return;
  }
  faults.text(element.action_id, `${pointer}/action_id`, limits.id);
  checkText(faults, element.placeholder, `${pointer}/placeholder`, limits.placeholder, {
    plain: true,
    required: false,
  });
  checkConfirm(faults, element.confirm, `${pointer}/confirm`);
  if (type === 'button') checkButton(faults, element, pointer);
  if (type === 'image') checkImage(faults, element, pointer);
  const maxOptions = optionsAllowed[type];
  if (maxOptions !== undefined) checkOptions(faults, element.options, `${pointer}/options`, maxOptions);
  if (type.endsWith('static_select') && element.option_groups === undefined) {
    checkOptions(faults, element.options, `${pointer}/options`, limits.selectOptions);
  }
}
