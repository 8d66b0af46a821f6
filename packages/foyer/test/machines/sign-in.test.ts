import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { createVisitor, finishedRun, install } from '../../src/testing/visitor.ts';
import { parseExposition, sampleValue } from '../operator/metrics/parse-exposition.ts';
import { launchBrowser } from '../support/launch-browser.ts';
import { setMachines, startMachineProcess } from './support/set-machines.ts';

const acme = 'T07ACME4QX1';
const [grace, priya] = ['U07GRACEH01', 'U07PRIYAN03'];

describe('signing in on two machines, in a browser', () => {
  it('a person who signs in on machine A is signed in on B too, and a sign-out on B ends the session on A', {
    timeout: 180_000,
  }, async (t) => {
    const machines = await setMachines({ environment: { SIGN_IN: 'on' }, start: false });
    t.after(() => machines.close());
    const { environment, sandbox, url } = machines;
    const [a, b] = [await startMachineProcess(t, environment), await startMachineProcess(t, environment)];
    machines.sendTo(a);
    const installer = createVisitor();
    const done = await install(installer, url, sandbox, { teamId: acme, userId: grace });
    await finishedRun(installer, url + done.headers.get('location'), 90_000);

    const browsers: Browser[] = [];
    t.after(async () => {
      for (const browser of browsers) await browser.close();
    });
    /** Opens a separate browser: the same browser could reuse a connection to the earlier machine. */
    const open = async (
      machine: { url: string },
      state?: BrowserContextOptions['storageState'],
    ): Promise<Page> => {
      machines.sendTo(machine);
      const browser = await launchBrowser();
      browsers.push(browser);
      const context = await browser.newContext(state === undefined ? {} : { storageState: state });
      return context.newPage();
    };
    const answered = async (machine: { url: string }, route: string, status: string): Promise<number> => {
      const all = parseExposition(await (await fetch(`${machine.url}/metrics`)).text());
      return sampleValue(all, 'foyer_http_requests_total', { route, status });
    };

    const onA = await open(a);
    await onA.goto(`${url}/`);
    await onA.getByRole('link', { name: 'Sign in with Slack' }).click();
    await onA.goto(await sandbox.signIn({ authorizeUrl: onA.url(), userId: priya, teamId: acme }));
    await onA.getByText('Signed in as Priya Nair').waitFor();
    const state = await onA.context().storageState();
    assert.equal(await answered(b, '/slack/signin', '3xx'), 0, 'B had no part in it');

    const onB = await open(b, state);
    await onB.goto(`${url}/`);
    await onB.getByText('Signed in as Priya Nair').waitFor();
    await onB.getByRole('button', { name: 'Sign out' }).click();
    await onB.getByRole('heading', { name: 'You are signed out' }).waitFor();
    assert.deepEqual(
      [await answered(b, '/slack/signout', '2xx'), await answered(a, '/slack/signout', '2xx')],
      [1, 0],
    );

    // This browser still sends the cookie of its session. It is signed out only because machine B ended the session.
    const before = await answered(a, '/', '2xx');
    const again = await open(a, state);
    await again.goto(`${url}/`);
    await again.getByRole('link', { name: 'Sign in with Slack' }).waitFor();
    assert.equal(await again.getByText('Signed in as').count(), 0);
    assert.equal(await answered(a, '/', '2xx'), before + 1);
  });
});
