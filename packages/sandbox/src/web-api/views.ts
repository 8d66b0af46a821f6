import { blockLimits } from '../blocks/block-limits.ts';
import { checkBlocks } from '../blocks/check-blocks.ts';
import { checkText } from '../blocks/check-elements.ts';
import { completeBlocks } from '../blocks/complete-blocks.ts';
import { createFaultList, isRecord } from '../blocks/fault-list.ts';
import { secretHex, slackId } from '../ids.ts';
import type { View } from '../world/records.ts';
import { type Call, tokenMethod } from './method.ts';
import { personInReach } from './reach.ts';
import { invalidArguments, Refusal } from './refusal.ts';

/** Reads and checks a view. Throws `invalid_arguments` with a message per problem, or `view_too_large`. */
function readView({ args }: Call, type: 'home' | 'modal'): Record<string, unknown> {
  const view = args.json('view');
  if (view === undefined) throw invalidArguments(['[ERROR] missing required field: view']);
  if (!isRecord(view)) throw invalidArguments(['[ERROR] must be an object [json-pointer:/view]']);
  if (Buffer.byteLength(JSON.stringify(view)) > blockLimits.viewBytes) throw new Refusal('view_too_large');
  const faults = createFaultList();
  if (view.type !== type) faults.add('/view/type', `unsupported type: ${String(view.type)}`);
  faults.text(view.private_metadata, '/view/private_metadata', blockLimits.privateMetadata, {
    mayBeEmpty: true,
  });
  faults.text(view.callback_id, '/view/callback_id', blockLimits.id, { mayBeEmpty: true });
  faults.text(view.external_id, '/view/external_id', blockLimits.id, { mayBeEmpty: true });
  if (type === 'modal') checkModalTitles(faults, view);
  checkBlocks(faults, view.blocks, '/view/blocks', type);
  if (faults.messages.length > 0) throw invalidArguments(faults.messages);
  return view;
}

function checkModalTitles(faults: ReturnType<typeof createFaultList>, view: Record<string, unknown>): void {
  const max = blockLimits.viewTitle;
  checkText(faults, view.title, '/view/title', max, { plain: true });
  checkText(faults, view.submit, '/view/submit', max, { plain: true, required: false });
  checkText(faults, view.close, '/view/close', max, { plain: true, required: false });
}

/** A view as Slack stores it, under a given id. */
function storedView(call: Call, view: Record<string, unknown>, id: string, teamId: string): View {
  const { platform, installation } = call;
  return {
    id,
    team_id: teamId,
    type: view.type === 'modal' ? 'modal' : 'home',
    blocks: completeBlocks(Array.isArray(view.blocks) ? view.blocks : []),
    private_metadata: typeof view.private_metadata === 'string' ? view.private_metadata : '',
    callback_id: typeof view.callback_id === 'string' ? view.callback_id : '',
    state: { values: {} },
    hash: `${Math.floor(platform.clock.now() / 1000)}.${secretHex(4)}`,
    title: view.title ?? { type: 'plain_text', text: 'View Title', emoji: true },
    clear_on_close: view.clear_on_close ?? false,
    notify_on_close: view.notify_on_close ?? false,
    close: view.close ?? null,
    submit: view.submit ?? null,
    previous_view_id: null,
    root_view_id: id,
    app_id: platform.app.id,
    external_id: view.external_id ?? '',
    app_installed_team_id: installation.isEnterpriseInstall ? installation.enterpriseId : installation.teamId,
    bot_id: installation.botId,
  };
}

/** Publishes a person's Home tab. Source: docs.slack.dev/reference/methods/views.publish */
export const viewsPublish = tokenMethod('tier4', [], (call) => {
  const { platform, args, installation } = call;
  const userId = args.required('user_id');
  const view = readView(call, 'home');
  if (!platform.app.settings.isHomeTabEnabled) throw new Refusal('not_enabled');
  const { person, workspace } = personInReach(call, userId);
  const key = `${installation.id}:${person.id}`;
  const current = platform.world.homeViews.get(key);
  const hash = args.text('hash');
  // Like Slack, the sandbox also compares an empty hash, which never matches.
  if (hash !== undefined && hash !== current?.hash) throw new Refusal('hash_conflict');
  const published = storedView(call, view, current?.id ?? slackId('V'), workspace.id);
  platform.world.homeViews.set(key, published);
  const { teamId, enterpriseId } = installation;
  platform.activity.tell({ kind: 'home-published', teamId, enterpriseId, userId: person.id });
  return { ok: true, view: published };
});

/** Opens a modal for the person whose action produced the `trigger_id`, which works once, within three seconds. */
export const viewsOpen = tokenMethod('tier4', [], (call) => {
  const { platform, args } = call;
  const trigger = platform.world.triggers.get(args.required('trigger_id'));
  if (!trigger) throw new Refusal('invalid_trigger_id');
  if (trigger.isUsed) throw new Refusal('exchanged_trigger_id');
  if (trigger.expiresAt <= platform.clock.now()) throw new Refusal('expired_trigger_id');
  const view = storedView(call, readView(call, 'modal'), slackId('V'), trigger.teamId);
  trigger.isUsed = true;
  platform.world.modals.set(trigger.userId, view);
  platform.activity.tell({ kind: 'modal-changed', teamId: trigger.teamId, userId: trigger.userId });
  return { ok: true, view };
});
