import { hash } from 'node:crypto';
import type { ImageElement, KnownBlock } from '@slack/types';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import { type ClaimUrl, claimLifetimeMs } from '../connections/create-connections.ts';
import type { Database } from '../database/database.ts';
import { type HistoryRecord, prepareHistory } from '../database/history.ts';
import type { Onlooker } from '../database/home-views.ts';
import { type InstallRecord, prepareInstallRecord } from '../database/install-record.ts';
import { listQuestions } from '../database/questions.ts';
import type { Brand } from '../http/brand.ts';
import { escapeMrkdwn, mrkdwnCode, mrkdwnLink } from '../slack/slack-text.ts';
import type { Texts, Words } from '../texts/create-texts.ts';
import type { StepFaces } from '../texts/translation.ts';
import { context, fields, header, lines, mention, slackDate } from './blocks.ts';
import type { HomeContent } from './home-content.ts';
import { askHomeSections, type BoundHomeSection, composeHome } from './home-sections.ts';
import { questionBlocks } from './question-blocks.ts';
import type { DrawnHome } from './send-view.ts';
import { setupBlocks } from './setup-blocks.ts';
import { accountBlocks, permissionBlocks, statusBlocks } from './status-blocks.ts';
import { type FindViewer, mayAct } from './viewer.ts';

/** What the view needs of the configuration. */
export type HomeConfig = Pick<Config, 'slack' | 'http'>;

/** One person's App Home, drawn from the current record and the app's sections. */
export interface Home extends DrawnHome {
  record: InstallRecord;
  /** Whether a section was asked: then this Home is sent even if it has not changed. */
  hasSections: boolean;
  /** SHA-256 of the view and of the install time: after a reinstall, Slack may show nothing at all. */
  hash: string;
}

/** Reads and draws a person's Home; undefined for an unknown or uninstalled installation. */
export type ReadHome = (onlooker: Onlooker) => Promise<Home | undefined>;

/** Creates the function that reads and draws a person's Home. */
export function createReadHome(deps: {
  database: Database;
  findViewer: FindViewer;
  config: HomeConfig;
  brand: Brand;
  texts: Texts;
  faces: StepFaces;
  sections?: readonly BoundHomeSection[];
  /** The address where a person who may do so claims an unconnected workspace. */
  claimUrl?: ClaimUrl;
  now: () => number;
  log: Logger;
}): ReadHome {
  const { database, findViewer, config, brand, texts, sections = [], log } = deps;
  const readRecord = prepareInstallRecord(database);
  const readHistory = prepareHistory(database);
  const settings = {
    app: { name: brand.name },
    faces: deps.faces,
    requestedScopes: config.slack.botScopes,
    optionalScopes: config.slack.optionalBotScopes,
    memberScopes: config.slack.memberScopes,
    supportUrl: brand.supportUrl,
    privacyUrl: brand.privacyUrl,
  };
  const install = `${config.http.baseUrl}/slack/install`;

  return async ({ installationId, userId }) => {
    const record = await readRecord(installationId);
    if (!record || record.status === 'uninstalled') return undefined;
    const viewer = await findViewer(record, userId);
    const history = await readHistory(record.id, historyShown + 1);
    const { teamId, run } = record;
    const asked =
      run?.waitingFor === 'answer' ? await listQuestions(database.queries, { runId: run.id }) : [];
    const question = asked.find(
      ({ answeredAt, expiresAt }) => answeredAt === null && (expiresAt ?? Infinity) > deps.now(),
    );
    const updatePermissionsUrl =
      teamId === null ? install : `${install}?${new URLSearchParams({ team: teamId })}`;
    const answered = await askHomeSections(
      sections,
      {
        installationId: record.id,
        teamId,
        enterpriseId: record.enterpriseId,
        userId,
        isInstaller: userId === record.installerUserId,
        isAdmin: viewer.isAdmin,
        locale: viewer.profile?.locale ?? null,
      },
      log,
    );
    const mayClaim = record.connection === null && record.status === 'active' && mayAct(record, viewer);
    const { life } = record;
    const claimUrl = mayClaim ? deps.claimUrl?.({ installationId: record.id, life, userId }) : undefined;
    const words = texts.forLocale(viewer.profile?.locale);
    const sectionNotices = {
      failed: words.text('home.section.failed'),
      cut: words.text('home.section.cut'),
    };
    const recordBlocks = homeBlocks({
      ...settings,
      words,
      record,
      history,
      viewer,
      question,
      updatePermissionsUrl,
      claimUrl,
    });
    const draw = (shown: typeof answered) => composeHome(shown, recordBlocks, sectionNotices);
    const home = draw(answered);
    return {
      record,
      hasSections: sections.length > 0,
      ...home,
      /** The same Home without the blocks of these sections. */
      without: (failed: ReadonlySet<string>) =>
        draw(answered.map((one) => (failed.has(one.id) ? { ...one, blocks: undefined } : one))),
      hash: hash('sha256', `[${record.installedAt},${hashedText(home.blocks, claimUrl)}]`),
    };
  };

  /** A claim link differs each time. It counts as the same for half of its lifetime, and then is sent again. */
  function hashedText(blocks: unknown, claimUrl: string | undefined): string {
    const text = JSON.stringify(blocks);
    if (claimUrl === undefined) return text;
    return text.replaceAll(claimUrl, `claim ${Math.floor(deps.now() / (claimLifetimeMs / 2))}`);
  }
}

/** How many lines of history are shown. */
export const historyShown = 10;

const divider: KnownBlock = { type: 'divider' };

/**
 * Draws the install record for one person in App Home: in full for the installer and the admins, in short for members.
 * The same content always gives the same blocks, within Slack's limits for any content
 * (docs.slack.dev/reference/views/home-tab-views): a list that is cut ends with a line that says so.
 */
export function homeBlocks(content: HomeContent): KnownBlock[] {
  const {
    record,
    history,
    words,
    question,
    app: { name: app },
  } = content;
  const place = record.isEnterpriseInstall ? record.enterpriseName : record.teamName;
  const shownApp = escapeMrkdwn(app, 80);
  const isInFull = mayAct(record, content.viewer);
  const historyBlocks = (): KnownBlock[] =>
    history.length === 0
      ? []
      : [header(words.text('home.history')), ...lines(historyLines(words, history, historyShown))];
  const groups: KnownBlock[][] = [
    [header(place ? words.text('home.title', { app, place }) : app), ...statusBlocks(content)],
    accountBlocks(content),
    isInFull && question
      ? questionBlocks(words, words.text('home.question.intro', { app: shownApp }), question)
      : [],
    isInFull || hasProblem(record) ? setupBlocks(content) : [],
    permissionBlocks(content),
    profileBlocks(content),
    isInFull ? historyBlocks() : [],
    footer(content),
  ];
  return groups
    .filter((group) => group.length > 0)
    .flatMap((group, index) => (index === 0 ? group : [divider, ...group]));
}

/** Returns whether a member also sees the setup, and whom to ask. */
function hasProblem({ run }: InstallRecord): boolean {
  return run?.steps.some(({ status }) => status === 'failed' || status === 'unconfirmed') ?? false;
}

function footer({ record, viewer, words, supportUrl, privacyUrl }: HomeContent): KnownBlock[] {
  const parts = [words.text('home.times')];
  if (supportUrl !== null) parts.push(mrkdwnLink(supportUrl, words.text('home.help')));
  if (privacyUrl !== null) parts.push(mrkdwnLink(privacyUrl, words.text('page.privacy')));
  if (record.run && mayAct(record, viewer)) {
    parts.push(words.text('home.reference', { id: mrkdwnCode(record.run.id, 80) }));
  }
  return [context(parts.join('  ·  '))];
}

/**
 * Lists the history in the order given, at most `most` lines, with a line that says so if there is more. The detail of
 * an entry is for operators: only the command line shows it.
 */
function historyLines(words: Words, history: readonly HistoryRecord[], most: number): string[] {
  const texts = history.slice(0, most).map(({ at, kind, userId }) => {
    const who = userId === null ? 'none' : mention(userId);
    return `${slackDate(at)} · ${words.text(`home.history.${kind}`, { who })}`;
  });
  return history.length > most ? [...texts, `_${words.text('home.history.older')}_`] : texts;
}

/** Shows the viewer's own stored profile: no one else ever sees it. */
function profileBlocks({ viewer, app, words }: HomeContent): KnownBlock[] {
  const { profile } = viewer;
  // A caller's mistake must not show one person's email to another.
  if (profile === undefined || profile.userId !== viewer.userId) return [];
  const given = [
    [words.text('home.you.name'), profile.realName ?? profile.name],
    [words.text('home.you.email'), profile.email],
    [words.text('home.you.timeZone'), profile.timezone?.replaceAll('_', ' ') ?? null],
  ] as const;
  const pairs = given.flatMap(([label, value]) => {
    const text = value === null ? '' : escapeMrkdwn(value, 300);
    return text === '' ? [] : [[label, text] as const];
  });
  if (pairs.length === 0) return [];
  const time = slackDate(profile.firstSeenAt);
  return [
    header(words.text('home.you')),
    fields(pairs, picture(profile.avatarUrl, words.text('home.you.picture'))),
    context(words.text('home.you.kept', { app: escapeMrkdwn(app.name, 80), time })),
  ];
}

function picture(url: string | null, alt: string): ImageElement | undefined {
  if (url === null || url.length > 3000 || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  return { type: 'image', image_url: url, alt_text: alt };
}
