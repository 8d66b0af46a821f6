import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { environmentSchema } from '../../src/config/environment-schema.ts';
import { misspelledVariables } from '../../src/config/misspelled-variables.ts';

describe('misspelledVariables', () => {
  for (const [name, meant] of [
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATABASEURL', 'DATABASE_URL'],
    ['TRUST_PROXIES', 'TRUST_PROXY'],
    ['OPERATER_PASSWORD', 'OPERATOR_PASSWORD'],
    ['SLACK_CLIENTID', 'SLACK_CLIENT_ID'],
    ['SLACK_SINGING_SECRET', 'SLACK_SIGNING_SECRET'],
    ['TOKEN_ENCRYPTION_KEY', 'TOKEN_ENCRYPTION_KEYS'],
    ['public_url', 'PUBLIC_URL'],
    ['PROT', 'PORT'],
  ] as const) {
    it(`recognizes ${name} as ${meant}`, () => {
      assert.deepEqual(misspelledVariables({ [name]: 'x' }), [{ name, meant }]);
    });
  }

  it('does not report Foyer’s own variables, or variables that an app may have', () => {
    const ofApps =
      'API_URL APP_ENV AWS_REGION BASE_URL CLIENT_SECRET COOKIE_SECRET DATABASE_KEY DATABASE_POOL_SIZE DATABASE_SSL DB_URL ' +
      'DEBUG HTTPS_PROXY LOG_FORMAT NODE_OPTIONS NOTION_TOKEN NO_PROXY OPENAI_API_KEY PGHOST PGPORT POSTGRES_PASSWORD ' +
      'PUBLIC_DIR REDIS_URL SENTRY_DSN SESSION_SECRET SLACK_APP_TOKEN SLACK_BOT_TOKEN SLACK_TEAM_ID SMTP_HOST SMTP_URL ' +
      'STRIPE_SECRET_KEY SUPPORT_EMAIL TZ WEBHOOK_URL';
    for (const name of [...ofApps.split(' '), ...Object.keys(environmentSchema.shape)])
      assert.deepEqual(misspelledVariables({ [name]: 'x' }), [], name);
  });

  it('if a known variable has a value other than its default, does not report a variable with a similar name', () => {
    const meant = 'DATABASE_URL';
    const both = { DATABASE_URL2: 'x', DATABASE_URL: 'postgres://localhost/foyer' };
    assert.deepEqual(misspelledVariables(both), []);
    // A copy of .env.example sets many variables to their defaults.
    const unchanged = { ...both, DATABASE_URL: 'file:./data/foyer.db' };
    assert.deepEqual(misspelledVariables(unchanged), [{ name: 'DATABASE_URL2', meant }]);
    const empty = {
      OPERATER_PASSWORD: 'x',
      OPERATOR_PASSWORD: '',
      PUBLIC_UR: 'x',
      PUBLIC_URL: 'http://localhost:3000',
    };
    assert.deepEqual(
      misspelledVariables(empty).map(({ meant }) => meant),
      ['OPERATOR_PASSWORD', 'PUBLIC_URL'],
    );
  });
});
