import { isRecord } from '../blocks/fault-list.ts';
import { type Html, html } from '../http/html.ts';
import { drawBlocks } from './draw-blocks.ts';
import type { Visit } from './visit.ts';

/** The modal that the app opened for this person, if there is one. Submitting is not covered, which the modal says. */
export function drawModal({ platform, person, workspace, reader }: Visit): Html {
  const view = platform.world.modals.get(person.id);
  if (!view) return html``;
  const text = (value: unknown) => (isRecord(value) ? String(value.text) : '');
  return html`<dialog open class="modal" aria-labelledby="modal-title"><h2 id="modal-title">${text(view.title)}</h2>
  <div data-surface="modal">${drawBlocks(view.blocks, reader)}</div>
  ${view.submit ? html`<p class="undrawn" role="note">The sandbox does not submit modals: “${text(view.submit)}” does nothing.</p>` : null}
  <form method="post" action="/client/${workspace.id}/close-modal" class="buttons"><button>${text(view.close) || 'Close'}</button></form></dialog>`;
}
