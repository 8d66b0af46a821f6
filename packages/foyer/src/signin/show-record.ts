import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import type { Database } from '../database/database.ts';
import { type InstallRecord, readInstallRecord, registeredTeamId } from '../database/install-record.ts';
import { erasePerson } from '../database/people/erase-person.ts';
import { readNames } from '../database/people/people.ts';
import { readPersonData } from '../database/people/person-data.ts';
import { homeHtml } from '../home/home-html.ts';
import type { PublishHome } from '../home/publish-home.ts';
import type { ReadHome } from '../home/read-home.ts';
import { type FindViewer, homeActions, mayAct, type PressHome } from '../home/viewer.ts';
import type { BodyReader } from '../http/read-body.ts';
import { isFromHere, readForm } from '../http/read-form.ts';
import type { SendPages } from '../http/send-pages.ts';
import type { DisconnectMember } from '../installations/disconnect-member.ts';
import type { createFindMember, SignedInMember } from './find-member.ts';
import type { Sessions } from './sessions.ts';

/**
 * The buttons of App Home that also work on this page. The page has no form for a step's question: people answer in
 * Slack or on the progress page.
 */
const pressable: ReadonlySet<string> = new Set([
  homeActions.retryRun,
  homeActions.sendWelcome,
  homeActions.disconnectAccount,
]);

export interface ShowRecordDeps {
  config: Pick<Config, 'http'>;
  database: Database;
  findMember: ReturnType<typeof createFindMember>;
  sessions: Pick<Sessions, 'read'>;
  readHome: ReadHome;
  findViewer: FindViewer;
  pressHome: PressHome;
  disconnectMember: DisconnectMember;
  publishHome: PublishHome;
  bodies: Pick<BodyReader, 'read'>;
  pages: Pick<SendPages, 'sendFailure' | 'sendRecord' | 'sendErased'>;
  now: () => number;
  log: Logger;
}

/**
 * Creates the handlers of `/` for a person who signed in. They show the install record with the words and the buttons
 * of App Home, and the same rules decide who may press a button.
 */
export function createShowRecord(deps: ShowRecordDeps) {
  const { database, config, pages, log } = deps;
  const path = `${config.http.basePath}/`;

  async function sessionOf(
    req: IncomingMessage,
  ): Promise<{ member: SignedInMember; csrfToken: string } | undefined> {
    const session = await deps.sessions.read(req.headers.cookie);
    const member = session && (await deps.findMember(req));
    return member && { member, csrfToken: session.csrfToken };
  }

  /** Sends a file with everything stored about the person, except the texts that are only for operators. */
  async function exportData(res: ServerResponse, record: InstallRecord, userId: string): Promise<void> {
    const person = { clientId: record.clientId, teamId: registeredTeamId(record), userId };
    const { history, notices, runs, ...data } = await readPersonData(database.queries, person);
    // Details and messages are for operators, and may name other people.
    const shown = {
      ...data,
      history: history.map(({ detail: _, ...line }) => line),
      notices: notices.map(({ detail: _, ...notice }) => notice),
      runs: runs.map((run) => ({
        ...run,
        steps: run.steps.map(({ error_message: _, ...step }) => step),
      })),
    };
    if (res.headersSent) return;
    res
      .writeHead(200, {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Disposition': `attachment; filename="${userId}.json"`,
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      })
      .end(JSON.stringify(shown, undefined, 2));
  }

  /** Revokes the person's own token, then erases what is stored about them; this ends their sessions. */
  async function eraseData(
    res: ServerResponse,
    record: InstallRecord,
    { userId, locale }: Pick<SignedInMember, 'userId' | 'locale'>,
  ): Promise<void> {
    const { id: installationId, clientId } = record;
    const teamId = registeredTeamId(record);
    // Foyer must not erase a token that Slack has not revoked: no one could revoke it later.
    if ((await deps.disconnectMember(installationId, userId)) === 'unreachable') {
      return pages.sendFailure(res, { kind: 'erase_unreachable', code: 'revoke_failed', locale });
    }
    const now = deps.now();
    const { kept } = await database.write((tx) => erasePerson(tx, { clientId, teamId, userId, now }));
    await database.scrub();
    log.info({ installationId, userId, kept: kept.length }, 'a person erased what was stored about them');
    pages.sendErased(res, locale);
  }

  return {
    /**
     * `GET /`; resolves to false, with nothing sent, if the request has no valid session or the installation is gone.
     */
    async get(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
      const signedIn = await sessionOf(req);
      if (!signedIn) return false;
      const { member, csrfToken } = signedIn;
      const home = await deps.readHome(member);
      if (!home) return false;
      const { clientId } = home.record;
      const userIds = [...new Set(JSON.stringify(home.blocks).match(/(?<=<@)[UW][A-Z0-9]+(?=>)/g) ?? [])];
      const teamId = registeredTeamId(home.record);
      const names = await readNames(database.queries, { clientId, teamId, userIds });
      const nameOf = (userId: string): string | undefined => names.get(userId);
      const person = member.name ?? member.userId;
      const { timezone, locale } = member;
      pages.sendRecord(res, { person, locale, path, csrfToken }, ({ words: { language } }) =>
        homeHtml(home.blocks, { actions: pressable, path, csrfToken, timezone, nameOf, language }),
      );
      return true;
    },

    /** `POST /`: handles a press on a button of the page. */
    async post(req: IncomingMessage, res: ServerResponse): Promise<void> {
      const refuse = (): void =>
        pages.sendFailure(res, { kind: 'form_expired', code: 'form_expired' }, { Connection: 'close' });
      if (!isFromHere(req.headers, config.http.publicUrl)) return refuse();
      const form = await readForm(deps.bodies, req);
      if (typeof form === 'number') return refuse();
      const signedIn = await sessionOf(req);
      if (!signedIn || form.get('csrf') !== signedIn.csrfToken) return refuse();
      const { installationId, userId, teamId } = signedIn.member;
      const record = await readInstallRecord(database.queries, installationId);
      const action = form.get('action') ?? '';
      if (record && action === 'export') return exportData(res, record, userId);
      if (record && action === 'erase') return eraseData(res, record, signedIn.member);
      if (record && pressable.has(action)) {
        const viewer = await deps.findViewer(record, userId, { ask: false });
        const isAllowed = mayAct(record, viewer);
        await deps.pressHome({ action, value: form.get('value') ?? '', record, userId, isAllowed });
        await deps.publishHome({ installationId, userId, teamId });
      }
      if (res.headersSent) return;
      res.writeHead(303, { Location: path, 'Cache-Control': 'no-store' }).end();
    },
  };
}
