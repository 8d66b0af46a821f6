import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ErrorCode } from '@slack/web-api';
import { failurePages } from '../../src/http/pages/failure-texts.ts';
import {
  type CallbackFailure,
  exchangeFailure,
  redirectFailure,
} from '../../src/install/callback-failure.ts';

const statusOf = ({ kind, status }: CallbackFailure): number => status ?? failurePages[kind].status;

const slackRefusal = (error: string): Error =>
  Object.assign(new Error(error), { code: ErrorCode.PlatformError, data: { ok: false, error } });

describe('why an install did not happen', () => {
  const causes: [error: string, kind: string, redirectStatus: number, exchangeStatus: number][] = [
    ['unapproved_scope', 'unapproved_scope', 400, 400],
    ['invalid_team_for_non_distributed_app', 'app_not_distributed', 400, 500],
    ['server_error', 'slack_trouble', 502, 502],
    ['temporarily_unavailable', 'slack_trouble', 502, 502],
    ['invalid_scope', 'scope_invalid', 400, 500],
    ['scope_not_allowed', 'scope_invalid', 400, 500],
    ['org_login_required', 'slack_refused', 400, 502],
    ['bad_redirect_uri', 'app_misconfigured', 400, 500],
    ['bad_client_secret', 'app_misconfigured', 400, 500],
    ['no_scopes', 'app_misconfigured', 400, 500],
    ['invalid_request', 'app_misconfigured', 400, 500],
    ['unauthorized_client', 'app_misconfigured', 400, 500],
    ['code_already_used', 'code_invalid', 400, 400],
    ['cannot_install_an_org_installed_app', 'slack_refused', 400, 502],
  ];
  for (const [error, kind, redirectStatus, exchangeStatus] of causes) {
    it(`Slack’s error ${error} counts as ${kind}, both in the redirect and in the response to the code exchange`, () => {
      const redirect = redirectFailure(error);
      assert.deepEqual([redirect.kind, redirect.code, statusOf(redirect)], [kind, error, redirectStatus]);
      const exchange = exchangeFailure(slackRefusal(error));
      assert.deepEqual([exchange.kind, exchange.code, statusOf(exchange)], [kind, error, exchangeStatus]);
    });
  }

  it('a temporary error in a redirect counts as a problem at Slack, not as a refusal', () => {
    for (const error of [
      'internal_error',
      'fatal_error',
      'service_unavailable',
      'ratelimited',
      'request_timeout',
    ]) {
      assert.equal(redirectFailure(error).kind, 'slack_trouble', error);
    }
  });

  it('access_denied in the redirect means that the person refused, but in the response to the code exchange it means that Slack refused', () => {
    const redirect = redirectFailure('access_denied');
    assert.deepEqual([redirect.kind, statusOf(redirect)], ['access_denied', 200]);
    // The code exchange comes after the person has agreed, so here it is Slack that refuses.
    const exchange = exchangeFailure(slackRefusal('access_denied'));
    assert.deepEqual([exchange.kind, exchange.code], ['slack_refused', 'access_denied']);
  });

  it('an error that is not a plain name is recorded as unknown_error', () => {
    assert.equal(redirectFailure('<script>').code, 'unknown_error');
  });
});
