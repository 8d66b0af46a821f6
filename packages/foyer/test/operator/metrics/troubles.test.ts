import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createVisitor, eventually, finishedRun, install } from '../../../src/testing/visitor.ts';
import { signedPost } from '../../faults/support/signed-post.ts';
import { type Stage, setStage } from '../../support/start-foyer.ts';
import { parseExposition, sampleValue } from './parse-exposition.ts';

describe('the metrics that report problems', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await setStage();
  });
  afterEach(() => stage.close());

  async function value(name: string, labels: Record<string, string> = {}): Promise<number> {
    const answer = await fetch(`${stage.url}/metrics`, { headers: { connection: 'close' } });
    return sampleValue(parseExposition(await answer.text()), name, labels);
  }
  const outcomes = (outcome: string) => value('foyer_install_requests_total', { outcome });

  async function installAcme() {
    const { sandbox, url } = stage;
    const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
    const visitor = createVisitor();
    const done = await install(visitor, url, sandbox, acme);
    await finishedRun(visitor, url + (done.headers.get('location') ?? ''));
    return acme;
  }

  function mention(about: { signingSecret?: string; teamId: string; appId: string }): Promise<Response> {
    const { signingSecret = stage.config.slack.signingSecret, teamId, appId } = about;
    const event = { type: 'app_mention', user: 'U1', text: 'hi', channel: 'C1', ts: '1.1' };
    const body = { type: 'event_callback', team_id: teamId, api_app_id: appId, event_id: 'Ev1', event };
    return signedPost({ url: stage.url, signingSecret, body });
  }

  it('the metrics count a wrong signature as a sign of a wrong signing secret only if the request names this app', async () => {
    const { teamId } = await installAcme();
    const appId = stage.sandbox.app.id;
    const refused = (kind: string) => value('foyer_refused_requests_total', { kind });
    // The first request makes Foyer look up the id of its app.
    await eventually(async () => {
      await mention({ signingSecret: 'not Slack’s', teamId, appId });
      return (await refused('secret_mismatch')) > 0;
    });
    const before = await refused('signature_wrong');
    await mention({ signingSecret: 'not Slack’s', teamId: 'T0STRANGER', appId: 'A0OTHER' });
    assert.equal(await refused('signature_wrong'), before + 1);
    assert.equal(await refused('secret_mismatch'), 1);
  });

  it('the metrics count a failed install as unverified if a stranger could have caused the failure, and otherwise as failed', async () => {
    const { sandbox, url } = stage;
    const visitor = createVisitor();
    const state = async () => {
      const start = await visitor.get(`${url}/slack/install`);
      return new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? '';
    };
    await visitor.get(`${url}/slack/oauth_redirect?code=made-up&state=${encodeURIComponent(await state())}`);
    await visitor.get(
      `${url}/slack/oauth_redirect?error=whatever&state=${encodeURIComponent(await state())}`,
    );
    assert.deepEqual([await outcomes('unverified'), await outcomes('failed')], [2, 0]);
    sandbox.faults.add({ method: 'oauth.v2.access', failure: { type: 'error', error: 'bad_client_secret' } });
    const acme = { teamId: sandbox.workspace('Acme').id, userId: sandbox.person('Acme', 'owner').id };
    await install(createVisitor(), url, sandbox, acme);
    assert.deepEqual([await outcomes('unverified'), await outcomes('failed')], [2, 1]);
  });
});
