// The pages' script: shows changes as they happen, presses buttons, sends messages.

const { team, section } = document.body.dataset;
const live = document.querySelector('#live');
const modal = document.querySelector('#modal');
const toast = document.querySelector('#toast');
const scroller = document.querySelector('.scroll.messages');

/** For each part of the page, the activities after which the script redraws it. */
const partKinds = {
  home: ['home-published'],
  messages: ['message-changed'],
  panel: ['delivery', 'called', 'reset'],
};
/** The activities after which the page reloads. */
const pageKinds = [
  'installed',
  'uninstalled',
  'access-granted',
  'access-revoked',
  'reset',
  'approval-requested',
];

function say(text) {
  toast.textContent = text;
  toast.classList.toggle('shown', text !== '');
  if (text) setTimeout(() => toast.textContent === text && say(''), 6000);
}

/**
 * Replaces the markup in `target` with a new part. Keeps what is open, what a person entered, and the focus. If the
 * messages were scrolled to the end, scrolls to the new end.
 */
async function redraw(target, part) {
  if (!target) return;
  const answer = await fetch(`/client/${team}/parts/${part}`);
  const version = answer.headers.get('x-version');
  if (!answer.ok || target.dataset.version === version) return;
  const markup = await answer.text();
  await pointerUp();
  target.dataset.version = version;
  const focused = target.contains(document.activeElement)
    ? document.activeElement?.dataset.action
    : undefined;
  const opened = [...target.querySelectorAll('details[open][data-key]')].map((each) => each.dataset.key);
  const isAtEnd = scroller && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
  const placed = () => [...target.querySelectorAll('[data-choose]')].map((each) => [placeOf(each), each]);
  const entered = placed().filter(([, control]) => isChanged(control));
  target.innerHTML = markup;
  const drawn = new Map(placed());
  for (const [place, control] of entered) keepEntered(control, drawn.get(place));
  for (const key of opened) target.querySelector(`details[data-key="${key}"]`)?.setAttribute('open', '');
  if (focused) target.querySelector(`[data-action="${CSS.escape(focused)}"]`)?.focus();
  if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
}

/** Returns whether a person changed a control since it was drawn. */
function isChanged(control) {
  if (control.dataset.group) {
    return [...control.querySelectorAll('input')].some((each) => each.checked !== each.defaultChecked);
  }
  if (!control.options) return control.value !== control.defaultValue;
  const first = [...control.options].findIndex((each) => each.defaultSelected);
  return control.selectedIndex !== Math.max(0, first);
}

/** Returns a text that identifies a control: its message or view, its block, and its action id. */
function placeOf(control) {
  const { ts, surface } = control.closest('[data-surface]')?.dataset ?? {};
  return JSON.stringify([
    surface,
    ts,
    control.closest('[data-block]')?.dataset.block,
    control.dataset.action,
  ]);
}

/** If a new control (`after`) replaces the old control (`before`), copies what the person entered to the new one. */
function keepEntered(before, after) {
  if (!after) return;
  if (!before.dataset.group) {
    after.value = before.value;
    return;
  }
  const checked = [...before.querySelectorAll('input:checked')].map((each) => each.value);
  for (const each of after.querySelectorAll('input')) each.checked = checked.includes(each.value);
}

let isPointerDown = false;
addEventListener('pointerdown', () => {
  isPointerDown = true;
});
for (const name of ['pointerup', 'pointercancel']) {
  addEventListener(name, () => {
    isPointerDown = false;
  });
}
/** Waits until the pointer is up: replacing a button between press and release would lose the click. */
async function pointerUp() {
  while (isPointerDown) await new Promise((next) => setTimeout(next, 30));
}

const waiting = new Map();
/** Redraws a part after a short delay, so that a burst of activities causes only one redraw. */
function redrawSoon(target, part) {
  clearTimeout(waiting.get(part));
  waiting.set(
    part,
    setTimeout(() => redraw(target, part).catch(() => {}), 60),
  );
}

function follow() {
  const stream = new EventSource('/client/live');
  // Redraws in case something changed between loading the page and opening the stream.
  stream.addEventListener('open', () => live && redrawSoon(live, live.dataset.part));
  stream.addEventListener('message', ({ data }) => {
    const { kind } = JSON.parse(data);
    if (pageKinds.includes(kind) && section !== 'panel') location.reload();
    if (live && partKinds[live.dataset.part]?.includes(kind)) redrawSoon(live, live.dataset.part);
    if (kind === 'modal-changed') redrawSoon(modal, 'modal');
    if (kind === 'message-changed' && section !== 'messages') {
      redrawSoon(document.querySelector('#live-apps'), `apps-${section}`);
    }
  });
}

/** Asks for confirmation in the app's words, as Slack does. Resolves to true if the person confirms. */
function confirmed(question) {
  const dialog = document.createElement('dialog');
  dialog.className = 'modal';
  const text = (value, otherwise) => value?.text ?? otherwise;
  const title = document.createElement('h2');
  title.textContent = text(question.title, 'Are you sure?');
  const body = document.createElement('p');
  body.textContent = text(question.text, '');
  const form = document.createElement('form');
  form.method = 'dialog';
  form.className = 'buttons';
  for (const [value, label] of [
    ['deny', text(question.deny, 'Cancel')],
    ['confirm', text(question.confirm, 'Yes')],
  ]) {
    const button = document.createElement('button');
    button.value = value;
    button.textContent = label;
    if (value === 'confirm') button.className = question.style === 'danger' ? 'danger' : 'primary';
    form.append(button);
  }
  dialog.append(title, body, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'confirm');
    });
  });
}

async function press(element, chosen) {
  const surface = element.closest('[data-surface]');
  const block = element.closest('[data-block]');
  const button = JSON.parse(block?.querySelector('script.elements')?.textContent ?? '{}')[
    element.dataset.action
  ];
  if (button?.confirm && !(await confirmed(button.confirm))) return;
  if (button?.url) window.open(button.url, '_blank', 'noopener');
  const form = new URLSearchParams({
    surface: surface.dataset.surface,
    ts: surface.dataset.ts ?? '',
    block: block?.dataset.block ?? '',
    action: element.dataset.action,
  });
  if (chosen) form.set('chosen', JSON.stringify(chosen));
  form.set('entered', JSON.stringify(enteredIn(surface)));
  element.classList.add('pressed');
  element.setAttribute('aria-busy', 'true');
  const answer = await fetch(`/client/${team}/press`, { method: 'POST', body: form });
  const { ok, outcome, error } = await answer.json();
  element.classList.remove('pressed');
  element.removeAttribute('aria-busy');
  if (!ok) say(error ?? `The app did not accept the action (${outcome.replaceAll('_', ' ')}). Try again.`);
}

/** Returns what a person chose in a control, as a field of Slack's `actions[0]`: `{ selected_option: … }` for a menu. */
function choiceOf(control) {
  const kind = control.dataset.choose;
  if (control.dataset.group) {
    const picked = [...control.querySelectorAll('input:checked')].map((each) => JSON.parse(each.value));
    return { [kind]: control.dataset.group === 'checkbox' ? picked : picked[0] };
  }
  return { [kind]: kind === 'selected_option' ? JSON.parse(control.value || 'null') : control.value };
}

/** The values of the controls of a view or message, in the form of `state.values`. */
function enteredIn(surface) {
  const values = {};
  for (const control of surface.querySelectorAll('[data-choose]')) {
    const block = control.closest('[data-block]')?.dataset.block ?? '';
    values[block] = { ...values[block], [control.dataset.action]: choiceOf(control) };
  }
  return values;
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-surface] button[data-action]');
  if (button) press(button).catch((error) => say(String(error)));
  for (const menu of document.querySelectorAll('details.who[open]')) {
    if (!menu.contains(event.target)) menu.removeAttribute('open');
  }
});

document.addEventListener('change', (event) => {
  const control = event.target.closest('[data-surface] [data-choose]');
  // The page sends a change in an input block immediately only if the block has `dispatch_action`. Otherwise it sends
  // the value with the next button press.
  if (control && !control.closest('[data-quiet]'))
    press(control, choiceOf(control)).catch((error) => say(String(error)));
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') document.querySelector('details.who[open]')?.removeAttribute('open');
  if (event.target.matches?.('.composer textarea') && event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  if (!form.matches('.composer')) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  form.reset();
  if (scroller) scroller.scrollTop = scroller.scrollHeight;
  await fetch(form.action, { method: 'POST', body });
});

if (matchMedia('(max-width: 760px)').matches) document.querySelector('.drawer')?.removeAttribute('open');
if (scroller) scroller.scrollTop = scroller.scrollHeight;
follow();
say(new URLSearchParams(location.search).get('notice') ?? '');
