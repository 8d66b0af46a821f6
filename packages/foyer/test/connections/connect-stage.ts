import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readResult } from '../../src/connections/link.ts';
import type { FoyerOptions } from '../../src/define-foyer.ts';
import { createVisitor, type Visitor } from '../../src/testing/visitor.ts';
import type { EngineName } from '../support/stage-database.ts';
import { type Stage, setStage } from '../support/start-foyer.ts';

export const secret = 'a secret that the host and Foyer share';
export const host = 'https://app.example.com';

/** The claims that a test sets in a link. Each replaces the usual claim of that name; undefined removes the claim. */
export type LinkWish = Record<string, unknown>;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs a token by hand, as a backend in another language would. */
export function sign(claims: unknown, { header = { alg: 'HS256' } as unknown, key = secret } = {}): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

let links = 0;

/** The claims of a new link for Acme's account, valid for an hour. */
export function claimsOf(wish: LinkWish = {}): Record<string, unknown> {
  const iat = Math.floor(Date.now() / 1000);
  links += 1;
  const claims = {
    aud: 'foyer:connect',
    sub: 'user-1',
    org: 'org-1',
    label: 'Acme GmbH',
    return_to: `${host}/settings`,
    jti: `link-${links}`,
    iat,
    exp: iat + 3600,
    ...wish,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** A person with a browser, in one workspace. */
export interface Person {
  visitor: Visitor;
  userId: string;
  teamId: string;
}

/** A stage whose Foyer accepts connect links. Some methods act as a person; the others read what Foyer has stored. */
export interface ConnectStage extends Stage {
  person(workspace: string, role?: 'owner' | 'admin' | 'member'): Person;
  linkUrl(token: string): string;
  /** Opens a link and presses its button; returns the answer to the press, or to the link if there is no button. */
  openLink(visitor: Visitor, token: string, options?: { press?: boolean }): Promise<Response>;
  /** Follows `answer` to Slack's consent page and decides there; returns Foyer's answer to the callback. */
  decide(person: Person, answer: Response, decision?: 'allow' | 'cancel'): Promise<Response>;
  /** Opens a link, goes through Slack and returns the callback's answer. */
  connect(person: Person, token: string): Promise<Response>;
  /** Every stored connection, as `workspace → org`. */
  stored(): Promise<string[]>;
  /** The number of stored installations, including uninstalled ones. */
  installs(): Promise<number>;
}

/** Starts a stage whose Foyer accepts connect links. Close the stage at the end. */
export async function setConnectStage(
  options: {
    engine?: EngineName;
    environment?: Record<string, string>;
    definition?: Partial<FoyerOptions>;
    now?: () => number;
  } = {},
): Promise<ConnectStage> {
  const stage = await setStage({
    engine: options.engine,
    environment: {
      CONNECT_SECRET: secret,
      CONNECT_RETURN_ORIGINS: host,
      CONNECT_CLAIM_URL: `${host}/slack/claim`,
      ...options.environment,
    },
    foyer: { definition: options.definition, ...(options.now && { now: options.now }) },
  });
  const linkUrl = (token: string): string => `${stage.url}/slack/install?connect=${token}`;

  async function openLink(visitor: Visitor, token: string, { press = true } = {}): Promise<Response> {
    const page = await visitor.get(linkUrl(token));
    if (page.status !== 200 || !press) return page;
    const ticket = ticketOf(await page.text());
    return visitor.post(`${stage.url}/slack/install`, { ticket, decision: 'continue' });
  }

  async function decide(
    { visitor, userId, teamId }: Person,
    answer: Response,
    decision: 'allow' | 'cancel' = 'allow',
  ): Promise<Response> {
    const authorizeUrl = answer.headers.get('location') ?? '';
    assert.ok(authorizeUrl.startsWith(stage.sandbox.authorizationUrl), `${answer.status} ${authorizeUrl}`);
    return visitor.get(await stage.sandbox.consent({ authorizeUrl, userId, teamId, decision }));
  }

  return Object.assign(stage, {
    person(workspace: string, role: 'owner' | 'admin' | 'member' = 'owner') {
      const { id: userId } = stage.sandbox.person(workspace, role);
      return { visitor: createVisitor(), userId, teamId: stage.sandbox.workspace(workspace).id };
    },
    linkUrl,
    openLink,
    decide,
    connect: async (person: Person, token: string) => decide(person, await openLink(person.visitor, token)),
    async stored() {
      const rows = await stage.database.rows<{ team_name: string; org: string }>(
        'select i.team_name, c.org from connections c join installations i on i.id = c.installation_id order by 1, 2',
      );
      return rows.map(({ team_name, org }) => `${team_name} → ${org}`);
    },
    async installs() {
      return (await stage.database.rows('select id from installations')).length;
    },
  });
}

/** Returns the ticket: the value of a hidden field in the page's form. */
export function ticketOf(page: string): string {
  const [, ticket] = /name="ticket" value="([^"]+)"/.exec(page) ?? [];
  return ticket ?? assert.fail(`no form in ${page.slice(0, 2000)}`);
}

/** Reads the result from the answer that redirects back to the host. */
export function resultOf(answer: Response, at = `${host}/settings`) {
  const location = answer.headers.get('location') ?? '';
  assert.equal(answer.status, 303, `${answer.status} ${location}`);
  const url = new URL(location);
  assert.equal(url.origin + url.pathname, at);
  return readResult(secret, url.searchParams.get('foyer_result') ?? '', Date.now());
}
