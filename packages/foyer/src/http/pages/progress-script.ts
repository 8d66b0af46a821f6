/**
 * The progress page's script: polls the status and shows it. All its words come from `progressStatus`. It polls often
 * while the status changes, less often while the status stays the same, and stops when the run is done. It is plain
 * JavaScript for browsers of recent years.
 */
export const progressScript = `
(() => {
  'use strict';
  const main = document.querySelector('main');
  const list = main.querySelector('.steps');
  const template = document.getElementById('step').content.firstElementChild;
  const byId = (id) => document.getElementById(id);
  const fastestMs = 400;
  let delayMs = fastestMs;
  let timer;
  let stopped = false;
  let shown = '';

  // Without the query, which speaks of an answer that was sent before.
  function again() { location.replace(location.pathname); }

  function put(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function showStep(step, index) {
    let line = list.children[index];
    if (!line || line.dataset.name !== step.name) {
      const fresh = template.cloneNode(true);
      if (line) list.replaceChild(fresh, line);
      else list.append(fresh);
      line = fresh;
      line.dataset.name = step.name;
    }
    const settled = line.dataset.status !== step.status && /succeeded|failed|unconfirmed/.test(step.status);
    line.dataset.status = step.status;
    put(line.querySelector('.step-label'), step.label);
    put(line.querySelector('.step-status'), step.statusText);
    const note = line.querySelector('.step-note');
    put(note, step.note || '');
    note.hidden = !step.note;
    return settled ? step.label + ': ' + step.statusText + '. ' : '';
  }

  function show(progress) {
    let news = '';
    progress.steps.forEach((step, index) => { news += showStep(step, index); });
    while (list.children.length > progress.steps.length) list.lastElementChild.remove();
    byId('details').hidden = progress.steps.length === 0;
    put(byId('summary'), progress.summary);
    if (progress.tone === 'hitch') byId('details').open = true;
    put(byId('doing'), progress.now || '');
    byId('now').hidden = !progress.now;
    for (const part of main.querySelectorAll('[data-status-only]')) part.hidden = part.dataset.statusOnly !== progress.status;
    const { appName } = main.dataset;
    if (byId('heading').textContent !== progress.heading) news += progress.heading + '. ' + progress.message;
    put(byId('heading'), progress.heading);
    put(byId('message'), progress.message);
    put(byId('hint'), progress.hint || '');
    byId('hint').hidden = !progress.hint;
    document.title = progress.heading.includes(appName) ? progress.heading : progress.heading + ' · ' + appName;
    main.dataset.tone = progress.tone;
    for (const offer of main.querySelectorAll('[data-offer]')) offer.hidden = offer.dataset.offer !== progress.offers;
    byId('reference').hidden = !progress.id;
    put(byId('reference').querySelector('code'), progress.id || '');
    if (news) put(byId('announcement'), news);
  }

  async function ask() {
    const response = await fetch(main.dataset.statusUrl, {
      headers: { accept: 'application/json' },
      cache: 'no-store',
      signal: AbortSignal.timeout ? AbortSignal.timeout(10000) : undefined,
    });
    if (response.status === 404) { stopped = true; again(); return; }
    if (!response.ok) throw new Error('HTTP ' + response.status);
    const text = await response.text();
    const progress = JSON.parse(text);
    delayMs = text === shown ? Math.min(delayMs * 1.4, progress.tone === 'waiting' ? 20000 : 3000) : fastestMs;
    shown = text;
    if ((progress.question || '') !== main.dataset.question) { stopped = true; again(); return; }
    show(progress);
    // The links into Slack are made by the server once the team is known.
    if (progress.done && progress.offers === 'open' && !main.querySelector('[data-offer=open]')) again();
    stopped = progress.done;
  }

  // The other texts say that setup continues, which is unknown now. show() brings them back.
  function showOffline() {
    byId('offline').hidden = false;
    byId('hint').hidden = true;
    byId('now').hidden = true;
  }

  async function poll() {
    clearTimeout(timer);
    try {
      await ask();
      byId('offline').hidden = true;
    } catch {
      delayMs = Math.min(Math.max(delayMs, 1000) * 1.6, 15000);
      if (delayMs >= 4000) showOffline();
    }
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(poll, delayMs);
  }

  document.addEventListener('visibilitychange', () => {
    if (!stopped && document.visibilityState === 'visible') { delayMs = fastestMs; poll(); }
  });
  timer = setTimeout(poll, fastestMs);
})();
`;
