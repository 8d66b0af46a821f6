import { isRecord } from '../blocks/fault-list.ts';
import { type Html, html } from '../http/html.ts';
import type { Reader } from './slack-date.ts';

/**
 * The elements that the web client draws as native controls. Each value is the name of the action's field that contains
 * the person's choice.
 */
const controlKinds: Record<string, string> = {
  static_select: 'selected_option',
  users_select: 'selected_user',
  channels_select: 'selected_channel',
  conversations_select: 'selected_conversation',
  overflow: 'selected_option',
  radio_buttons: 'selected_option',
  checkboxes: 'selected_options',
  datepicker: 'selected_date',
  timepicker: 'selected_time',
  plain_text_input: 'value',
  email_text_input: 'value',
  url_text_input: 'value',
  number_input: 'value',
};

/** Whether this file draws an interactive element. The library draws buttons and images. */
export function isDrawnHere(element: Record<string, unknown>): boolean {
  const type = String(element.type);
  return type !== 'button' && type !== 'image' && type !== 'workflow_button';
}

/** A control that sends `block_actions` when a person makes a choice. For an unsupported element, a note. */
export function drawControl(
  element: Record<string, unknown>,
  reader: Pick<Reader, 'names' | 'channels'>,
): Html {
  const type = String(element.type);
  const kind = controlKinds[type];
  if (!kind) {
    return html`<span class="undrawn" role="note">The sandbox cannot draw a <code>${type}</code> element.</span>`;
  }
  const attributes = html`data-choose="${kind}" data-action="${String(element.action_id)}"`;
  const label = textOf(element.placeholder) || (isSelect(type) ? 'Choose…' : String(element.action_id));
  const things = type === 'users_select' ? reader.names : reader.channels;
  if (isSelect(type) && type !== 'static_select') {
    const rows = things.map(({ id, name }) => html`<option value="${id}">${name}</option>`);
    return html`<select ${attributes} aria-label="${label}"><option value="">${label}</option>${rows}</select>`;
  }
  if (type === 'static_select' || type === 'overflow') {
    const placeholder = type === 'overflow' ? '···' : label;
    return html`<select ${attributes} aria-label="${label}"><option value="">${placeholder}</option>${optionsOf(
      element,
    ).map(
      (option) =>
        html`<option value="${JSON.stringify(option)}" ${isInitial(element, option) ? 'selected' : ''}>${textOf(option.text)}</option>`,
    )}</select>`;
  }
  if (type === 'radio_buttons' || type === 'checkboxes') {
    const input = type === 'checkboxes' ? 'checkbox' : 'radio';
    return html`<fieldset ${attributes} data-group="${input}"><legend class="unseen">${label}</legend>${optionsOf(
      element,
    ).map(
      (option) =>
        html`<label><input type="${input}" name="${String(element.action_id)}" value="${JSON.stringify(option)}" ${isInitial(element, option) ? 'checked' : ''}> ${textOf(option.text)}</label>`,
    )}</fieldset>`;
  }
  const inputTypes: Record<string, string> = {
    datepicker: 'date',
    timepicker: 'time',
    number_input: 'number',
  };
  const initial = element.initial_date ?? element.initial_time ?? element.initial_value ?? '';
  if (element.multiline === true) {
    return html`<textarea ${attributes} rows="3" aria-label="${label}" placeholder="${textOf(element.placeholder)}">${String(initial)}</textarea>`;
  }
  return html`<input ${attributes} type="${inputTypes[type] ?? 'text'}" value="${String(initial)}" aria-label="${label}" placeholder="${textOf(element.placeholder)}">`;
}

function isSelect(type: string): boolean {
  return type.endsWith('_select');
}

function optionsOf(element: Record<string, unknown>): Record<string, unknown>[] {
  const groups = Array.isArray(element.option_groups) ? element.option_groups.filter(isRecord) : [element];
  return groups.flatMap((group) => (Array.isArray(group.options) ? group.options.filter(isRecord) : []));
}

function isInitial(
  { initial_option, initial_options }: Record<string, unknown>,
  option: Record<string, unknown>,
) {
  const initial = Array.isArray(initial_options) ? initial_options : [initial_option];
  return initial.some((each) => isRecord(each) && each.value === option.value);
}

function textOf(text: unknown): string {
  return isRecord(text) ? String(text.text) : '';
}
