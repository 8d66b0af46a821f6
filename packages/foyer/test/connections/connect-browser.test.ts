import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { ConflictRule } from '../../src/connections/commit-connection.ts';
import { createBodyReader } from '../../src/http/read-body.ts';
import { readForm } from '../../src/http/read-form.ts';
import { eventually } from '../../src/testing/visitor.ts';
import { launchBrowser } from '../support/launch-browser.ts';
import { type ConnectStage, setConnectStage } from './connect-stage.ts';

/** Set SCREENSHOTS to a folder to save screenshots: SCREENSHOTS=folder npm test. */
const pictures = process.env.SCREENSHOTS;

/** Starts a host product on the same host name as Foyer. `?as=…` names the account that is logged in. */
async function startHost(foyer: () => ConnectStage): Promise<{ server: Server; url: string }> {
  const bodies = createBodyReader();
  const links = new Map<string, string>();
  const page = (res: ServerResponse, body: string): void =>
    void res.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>Host</title>${body}`);

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://host');
    const org = searchParams.get('as') ?? '';
    const account = { subject: `user of ${org}`, org, label: `${org} Limited` };
    const connects = foyer().foyer();
    if (pathname === '/connect') {
      const teamId = searchParams.get('team') ?? undefined;
      const { url: link, jti } = await connects.connect(
        { ...account, returnTo: `${url}/done?as=${org}`, teamId },
        res,
      );
      links.set(org, jti);
      return void res.writeHead(303, { location: link }).end();
    }
    if (pathname === '/done') {
      const result = connects.readResult(searchParams.get('foyer_result') ?? '');
      const isOwn = result.jti === links.get(result.org ?? '');
      return page(res, `<h1>${result.outcome} ${result.teamName} ${result.error} ${isOwn}</h1>`);
    }
    if (pathname === '/claim' && req.method === 'POST') {
      const form = await readForm(bodies, req);
      if (typeof form === 'number') throw new Error('no form');
      const claimed = await connects.claim(form.get('token') ?? '', { org: 'acme', label: 'Acme Limited' });
      return page(res, `<h1>claimed ${claimed.teamName}</h1>`);
    }
    const token = searchParams.get('foyer_claim') ?? '';
    const { teamName } = await connects.readClaim(token);
    page(
      res,
      `<form method="post"><input type="hidden" name="token" value="${token}"><button>Claim ${teamName}</button></form>`,
    );
  }

  const server = createServer((req, res) => {
    answer(req, res).catch((error) => res.writeHead(400).end(String(error)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, url };
}

describe('connecting in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
    if (pictures) mkdirSync(pictures, { recursive: true });
  });
  after(() => browser.close());

  for (const width of [1280, 390]) {
    const walk = (
      title: string,
      rule: ConflictRule,
      work: (scene: {
        stage: ConnectStage;
        host: string;
        page: Page;
        context: BrowserContext;
        look(name: string): Promise<void>;
        be(workspace: string): Promise<string>;
        mailed(org: string, more?: { teamId?: string }): Promise<string>;
      }) => Promise<void>,
    ): void => {
      it(`${title}, in a window ${width} pixels wide`, async (t) => {
        let stage: ConnectStage | undefined;
        const { server, url: host } = await startHost(() => stage ?? assert.fail('no stage'));
        const running = await setConnectStage({
          definition: { onConflict: rule },
          environment: { CONNECT_RETURN_ORIGINS: host, CONNECT_CLAIM_URL: `${host}/claim` },
        });
        stage = running;
        const context = await browser.newContext({ viewport: { width, height: 900 } });
        t.after(async () => {
          await context.close();
          server.close();
          server.closeAllConnections();
          await running.close();
        });
        const page = await context.newPage();
        const complaints: string[] = [];
        page.on('console', (message) => {
          if (message.type() === 'error' && !/status of [45]\d\d/.test(message.text()))
            complaints.push(message.text());
        });
        await work({
          stage: running,
          host,
          page,
          context,
          async look(name) {
            const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
            assert.ok(Number(overflow) <= 0, `${name} is wider than the window by ${overflow}`);
            if (pictures)
              await page.screenshot({ path: `${pictures}/connect-${name}-${width}.png`, fullPage: true });
          },
          async be(workspace) {
            const teamId = running.sandbox.workspace(workspace).id;
            const userId = running.sandbox.person(workspace, 'owner').id;
            await page.goto(`${running.sandbox.url}/client/switch?team=${teamId}&user=${userId}`);
            return teamId;
          },
          async mailed(org, more = {}) {
            const options = {
              org,
              subject: `user of ${org}`,
              label: `${org} Limited`,
              returnTo: `${host}/done?as=${org}`,
            };
            return (await running.foyer().connect({ ...options, ...more })).url;
          },
        });
        assert.deepEqual(complaints, [], 'the browser complained');
      });
    };
    const allow = (page: Page) => page.getByRole('button', { name: 'Allow' }).click();
    const heading = (page: Page, text: string) => page.getByRole('heading', { name: text }).waitFor();

    walk('a bound link goes straight to Slack and back', 'refuse', async ({ host, page, look, stage }) => {
      await page.goto(`${host}/connect?as=acme`);
      await allow(page);
      await heading(page, 'installed Acme null true');
      await look('bound-done');
      assert.deepEqual(await stage.stored(), ['Acme → acme']);
    });

    walk('a mailed link asks first, can be cancelled, and then connects', 'refuse', async (scene) => {
      const { page, look, stage } = scene;
      const link = await scene.mailed('acme');
      await page.goto(link);
      await page.getByText('acme Limited').waitFor();
      await look('mailed-question');
      await page.getByRole('button', { name: 'Cancel' }).click();
      await heading(page, 'cancelled null access_denied false');
      await page.goto(link);
      await page.getByRole('button', { name: 'Continue to Slack' }).click();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await heading(page, 'cancelled null access_denied false');
      await page.goto(link);
      await page.getByRole('button', { name: 'Continue to Slack' }).click();
      await allow(page);
      await heading(page, 'installed Acme null false');
      await page.goto(link);
      await heading(page, 'installed Acme null false');
      assert.deepEqual(await stage.stored(), ['Acme → acme']);
    });

    walk(
      'a link to another account is refused, and the page does not name the connected account',
      'refuse',
      async ({ host, page, look, stage }) => {
        await page.goto(`${host}/connect?as=acme`);
        await allow(page);
        await page.goto(`${host}/connect?as=globex`);
        await allow(page);
        await heading(page, 'refused Acme already_connected true');
        const { url } = await stage.foyer().connect({ org: 'globex', label: 'globex Limited' });
        await page.goto(url);
        await page.getByRole('button', { name: 'Continue to Slack' }).click();
        await allow(page);
        await heading(page, 'This workspace is already connected');
        await look('refused');
        assert.equal(await page.getByText('acme').count(), 0);
        assert.deepEqual(await stage.stored(), ['Acme → acme']);
      },
    );

    walk(
      'a workspace moves after its installer has confirmed',
      'move',
      async ({ host, page, look, stage }) => {
        await page.goto(`${host}/connect?as=acme`);
        await allow(page);
        await page.goto(`${host}/connect?as=globex`);
        await allow(page);
        await heading(page, 'Move this workspace?');
        await look('move');
        assert.deepEqual(await stage.stored(), ['Acme → acme']);
        await page.getByRole('button', { name: 'Move it' }).click();
        await allow(page);
        await heading(page, 'installed Acme null true');
        assert.deepEqual(await stage.stored(), ['Acme → globex']);
      },
    );

    walk('a workspace is shared by two accounts', 'share', async ({ host, page, stage }) => {
      for (const org of ['acme', 'globex']) {
        await page.goto(`${host}/connect?as=${org}`);
        await allow(page);
        await heading(page, 'installed Acme null true');
      }
      assert.deepEqual(await stage.stored(), ['Acme → acme', 'Acme → globex']);
    });

    walk(
      'a workspace that installed without a link is claimed from Home',
      'refuse',
      async ({ page, context, look, stage, be }) => {
        const teamId = await be('Acme');
        await page.goto(`${stage.url}/slack/install`);
        await allow(page);
        await heading(page, 'all set');
        await page.goto(`${stage.sandbox.url}/client/${teamId}/app/messages`);
        await page.getByText('Finish connecting').first().waitFor();
        await look('welcome');
        await page.goto(`${stage.sandbox.url}/client/${teamId}/app/home`);
        await page.getByText('Not connected yet').waitFor();
        await look('home-unconnected');
        const [claim] = await Promise.all([
          context.waitForEvent('page'),
          page.getByText('Finish connecting').first().click(),
        ]);
        await claim.getByRole('button', { name: 'Claim Acme' }).click();
        await heading(claim, 'claimed Acme');
        await claim.close();
        await eventually(async () => {
          await page.goto(`${stage.sandbox.url}/client/${teamId}/app/home`);
          return (await page.getByText('Not connected yet').count()) === 0;
        });
        await look('home-connected');
        assert.deepEqual(await stage.stored(), ['Acme → acme']);
      },
    );

    walk(
      'a reconnect link repairs a broken installation and keeps its connection',
      'refuse',
      async (scene) => {
        const { host, page, look, stage } = scene;
        const teamId = await scene.be('Globex');
        await page.goto(`${host}/connect?as=globex`);
        await allow(page);
        await heading(page, 'installed Globex null true');
        const { connections } = stage.foyer();
        const before = await connections.find({ org: 'globex' });
        await stage.database.change(
          "update installations set status = 'broken', broken_reason = 'token_revoked'",
        );
        assert.equal((await connections.find({ org: 'globex' }))?.status, 'broken');
        await page.goto(`${host}/connect?as=globex&team=${teamId}`);
        await look('reconnect');
        await allow(page);
        await heading(page, 'installed Globex null true');
        assert.deepEqual(await connections.find({ org: 'globex' }), before);
        assert.equal((await (await stage.foyer().slack({ org: 'globex' })).auth.test()).ok, true);
      },
    );
  }
});
