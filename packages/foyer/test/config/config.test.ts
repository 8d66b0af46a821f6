import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { readManifest } from '../../src/config/manifest.ts';
import { fixtureManifest } from '../support/fixture-manifest.ts';

const manifest = fixtureManifest;
const secrets = {
  SLACK_CLIENT_ID: '1.2',
  SLACK_CLIENT_SECRET: 'client-secret',
  SLACK_SIGNING_SECRET: 'signing-secret',
};
const key = Buffer.alloc(32, 7).toString('base64');

function faultsOf(environment: Record<string, string>): ConfigError['problems'] {
  try {
    parseConfig(environment, manifest);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

describe('the configuration', () => {
  it('the configuration needs only Slack’s client id, client secret and signing secret', () => {
    const config = parseConfig(secrets, manifest);
    assert.equal(config.http.publicUrl, 'http://localhost:3000');
    assert.equal(config.http.port, 3000);
    assert.equal(config.slack.apiUrl, 'https://slack.com/api/');
    assert.ok(config.database.kind === 'sqlite' && config.database.file.endsWith('/data/foyer.db'));
  });

  it('the configuration’s advice on missing Slack secrets names no npm scripts, since only a clone of Foyer has them', () => {
    const fixes = faultsOf({}).map(({ fix }) => fix);
    assert.equal(fixes.length, 3);
    for (const fix of fixes) assert.doesNotMatch(fix, /npm run/);
  });

  it('the configuration requests each scope in the manifest once, or only the scopes in SLACK_SCOPES if it is set', () => {
    const wanted = ['chat:write', 'im:write', 'im:history', 'users:read', 'users:read.email', 'team:read'];
    assert.deepEqual(parseConfig(secrets, manifest).slack.botScopes, wanted);
    const overridden = parseConfig({ ...secrets, SLACK_SCOPES: 'chat:write, users:read' }, manifest);
    assert.deepEqual(overridden.slack.botScopes, ['chat:write', 'users:read']);
    assert.deepEqual(overridden.slack.optionalBotScopes, []);
  });

  it('the configuration reports conflicts between variables together with problems in single variables', () => {
    const production = {
      NODE_ENV: 'production',
      PUBLIC_URL: 'http://foyer.example.com',
      PORT: '99999',
      NOTIFY_EMAIL_TO: 'on-call@example.com',
    };
    const mail = 'NOTIFY_SMTP_URL, NOTIFY_EMAIL_FROM, NOTIFY_EMAIL_TO';
    assert.deepEqual(
      faultsOf(production).map(({ name }) => name),
      [...Object.keys(secrets), 'PORT', 'TOKEN_ENCRYPTION_KEYS', 'PUBLIC_URL', mail],
    );
    const given = {
      NOTIFY_SMTP_URL: 'no address',
      NOTIFY_EMAIL_FROM: 'a@b.example',
      NOTIFY_EMAIL_TO: 'c@d.example',
    };
    assert.deepEqual(
      faultsOf({ ...secrets, ...given }).map(({ name }) => name),
      ['NOTIFY_SMTP_URL'],
      'a wrong value is not reported as missing, too',
    );
  });

  it('the configuration reports every problem at once, each with its fix', () => {
    const faults = faultsOf({
      SLACK_CLIENT_ID: '1.2',
      PUBLIC_URL: 'foyer.example.com',
      PORT: '99999',
      DATABASE_URL: 'mysql://x',
      LOG_LEVEL: 'loud',
      TOKEN_ENCRYPTION_KEYS: 'main:short',
    });
    const names = faults.map((fault) => fault.name).sort();
    assert.deepEqual(names, [
      'DATABASE_URL',
      'LOG_LEVEL',
      'PORT',
      'PUBLIC_URL',
      'SLACK_CLIENT_SECRET',
      'SLACK_SIGNING_SECRET',
      'TOKEN_ENCRYPTION_KEYS',
    ]);
    for (const fault of faults)
      assert.ok(fault.fix.length > 10 && fault.problem.length > 5, JSON.stringify(fault));
  });

  it('the configuration treats an empty value as unset', () => {
    assert.equal(parseConfig({ ...secrets, PRIVACY_URL: '', PORT: ' ' }, manifest).privacyUrl, undefined);
  });

  it('the configuration requires an encryption key in production', () => {
    const production = { ...secrets, NODE_ENV: 'production', PUBLIC_URL: 'https://foyer.example.com' };
    assert.deepEqual(
      faultsOf(production).map((fault) => fault.name),
      ['TOKEN_ENCRYPTION_KEYS'],
    );
    assert.deepEqual(faultsOf({ ...production, TOKEN_ENCRYPTION_KEYS: `main:${key}` }), []);
  });

  it('in production, the configuration refuses a CONNECT_SECRET that is easy to guess, and does not print it', () => {
    const PUBLIC_URL = 'https://foyer.example.com';
    const production = {
      ...secrets,
      NODE_ENV: 'production',
      PUBLIC_URL,
      TOKEN_ENCRYPTION_KEYS: `main:${key}`,
    };
    for (const CONNECT_SECRET of [
      'x'.repeat(32),
      'a1'.repeat(16),
      'changeme'.repeat(4),
      '0123456789abcdef0123456789abcdef',
      ' '.repeat(3) + 'secret-'.repeat(5),
    ]) {
      const faults = faultsOf({ ...production, CONNECT_SECRET });
      assert.deepEqual(
        faults.map(({ name }) => name),
        ['CONNECT_SECRET'],
        CONNECT_SECRET,
      );
      assert.ok(!JSON.stringify(faults).includes(CONNECT_SECRET));
      assert.deepEqual(faultsOf({ ...secrets, CONNECT_SECRET }), [], 'a demo may have it');
    }
    const CONNECT_SECRET = 'k3Jd8sLq0ZpX7vBn2Rt5Yw9Cm4Hf6Ga1Ue8Io3Po';
    assert.deepEqual(faultsOf({ ...production, CONNECT_SECRET }), []);
  });

  it('in production, the configuration refuses a plain-http PUBLIC_URL unless it points to this machine', () => {
    const production = { ...secrets, NODE_ENV: 'production', TOKEN_ENCRYPTION_KEYS: `main:${key}` };
    const names = (url: string): string[] =>
      faultsOf({ ...production, PUBLIC_URL: url }).map((fault) => fault.name);
    assert.deepEqual(names('http://foyer.example.com'), ['PUBLIC_URL']);
    assert.deepEqual(names('http://127.0.0.1:3000'), []);
  });

  it('the configuration refuses an encryption key that is too short, has no name, or is listed twice, and never prints the key', () => {
    const short = Buffer.alloc(31, 1).toString('base64');
    for (const keys of [`main:${short}`, key, `a:${key},a:${key}`]) {
      const faults = faultsOf({ ...secrets, TOKEN_ENCRYPTION_KEYS: keys });
      assert.equal(faults.length, 1, keys);
      assert.ok(!JSON.stringify(faults).includes(short) && !JSON.stringify(faults).includes(key));
    }
  });

  it('the configuration keeps the order of the encryption keys, since the first one encrypts', () => {
    const config = parseConfig({ ...secrets, TOKEN_ENCRYPTION_KEYS: `new:${key},old:${key}` }, manifest);
    assert.deepEqual(
      config.encryptionKeys?.map((entry) => entry.id),
      ['new', 'old'],
    );
  });

  it('the configuration refuses unsafe and malformed URLs for links and redirects', () => {
    for (const url of ['javascript:alert(1)', 'data:text/html,x', '//evil.example', 'nonsense']) {
      const faults = faultsOf({
        ...secrets,
        PRIVACY_URL: url,
        SUPPORT_URL: url,
        SLACK_SUCCESS_REDIRECT_URL: url,
      });
      assert.deepEqual(faults.map((fault) => fault.name).sort(), [
        'PRIVACY_URL',
        'SLACK_SUCCESS_REDIRECT_URL',
        'SUPPORT_URL',
      ]);
    }
  });

  it('the configuration accepts plain http for Slack’s endpoints and for redirects only if they are on this machine', () => {
    for (const name of [
      'SLACK_API_URL',
      'SLACK_AUTHORIZATION_URL',
      'SLACK_SUCCESS_REDIRECT_URL',
      'SLACK_ERROR_REDIRECT_URL',
    ]) {
      for (const url of [
        'http://slack.example.com/x',
        'HTTP://10.0.0.7:4000/x',
        'http://localhost.example.com/x',
        'http://127.0.0.1@evil.example/x',
        'http://[2001:db8::1]/x',
      ]) {
        const [fault, ...others] = faultsOf({ ...secrets, [name]: url });
        assert.deepEqual([fault?.name, fault?.problem], [name, 'uses plain http to another machine'], url);
        assert.match(fault?.fix ?? '', /^use https \(plain http works only for this machine\)/);
        assert.deepEqual(others, []);
      }
      for (const url of [
        'https://slack.example.com/x',
        'http://localhost:4000/x',
        'http://127.0.0.1:4000/x',
        'http://[::1]:4000/x',
      ])
        assert.deepEqual(faultsOf({ ...secrets, [name]: url }), [], url);
    }
  });

  it('the configuration is deeply frozen', () => {
    const config = parseConfig(secrets, manifest);
    assert.ok(
      Object.isFrozen(config) && Object.isFrozen(config.slack) && Object.isFrozen(config.slack.botScopes),
    );
  });

  it('the configuration lists its secrets, so that the log can leave them out', () => {
    const config = parseConfig({ ...secrets, TOKEN_ENCRYPTION_KEYS: `main:${key}` }, manifest);
    assert.deepEqual(config.secrets, ['client-secret', 'signing-secret', key]);
  });

  it('the configuration lists the database password as a secret, and an error about an unescaped slash in the password does not contain the password', () => {
    const secretsOf = (url: string): readonly string[] =>
      parseConfig(
        { ...secrets, TOKEN_ENCRYPTION_KEYS: `main:${key}`, DATABASE_URL: url },
        manifest,
      ).secrets.slice(3);
    assert.deepEqual(secretsOf('postgres://foyer:pass%23word@db/foyer'), ['pass%23word', 'pass#word']);
    assert.deepEqual(secretsOf('postgres://foyer@db/foyer?password=pass%23word'), ['pass#word']);
    assert.deepEqual(secretsOf('postgres://foyer:100%zz@db/foyer'), ['100%zz']);
    const slash = faultsOf({ ...secrets, DATABASE_URL: 'postgres://foyer:12/word@db/foyer' });
    assert.deepEqual(
      slash.map(({ name }) => name),
      ['DATABASE_URL'],
    );
    assert.doesNotMatch(JSON.stringify(slash), /word@db/);
  });

  it('if TOKEN_ENCRYPTION_KEYS is missing or malformed, the fix says to keep the key of an existing database', () => {
    const postgres = { ...secrets, DATABASE_URL: 'postgres://localhost/foyer' };
    for (const environment of [
      { ...secrets, TOKEN_ENCRYPTION_KEYS: 'main:short' },
      { ...secrets, TOKEN_ENCRYPTION_KEYS: ',' },
      { ...secrets, NODE_ENV: 'production', PUBLIC_URL: 'https://foyer.example.com' },
      postgres,
    ]) {
      const [fault] = faultsOf(environment);
      assert.equal(fault?.name, 'TOKEN_ENCRYPTION_KEYS');
      assert.match(fault.fix, /existing database, .*the key that it was encrypted with/);
      assert.match(fault.fix, /new database, .*openssl rand/);
    }
  });

  it('the configuration trims the whitespace around values, such as the carriage return of a Windows file', () => {
    const blanks = { SLACK_SIGNING_SECRET: ' signing-secret\r', PORT: ' 3999 ', NODE_ENV: 'test ' };
    const config = parseConfig({ ...secrets, ...blanks }, manifest);
    assert.equal(config.slack.signingSecret, 'signing-secret');
    assert.equal(config.http.port, 3999);
  });

  it('the configuration refuses malformed values and easily guessed passwords and tokens, and names the variable and a fix for each', () => {
    const wrong = {
      SLACK_CLIENT_ID: ['"1.2"', '<your client id>', 'the id'],
      SLACK_CLIENT_SECRET: ["'secret", '…'],
      SLACK_SIGNING_SECRET: ['`secret`', 'a\nb'],
      PUBLIC_URL: ['https://:password@foyer.example.com', 'https://foyer.example.com/app'],
      DATABASE_URL: [
        'file://data/foyer.db',
        'file://./foyer.db',
        'file:foyer.db?mode=ro',
        'file::memory:',
        'file:data/',
        'file:/var/foyer.db/',
      ],
      SLACK_SCOPES: [',', 'chat:write "users:read"'],
      SLACK_API_URL: ['https://slack.com/api?x=1'],
      NODE_USE_ENV_PROXY: ['true'],
      METRICS_TOKEN: ['two words', 'ümlaut', 'x', 'prometheus', 'metrics-token-1234', 'abcabcabcabcabcabc'],
      OPERATOR_PASSWORD: [
        'short1!X',
        'aaaaaaaaaaaa',
        'abababababab',
        '123456789012',
        'password1234',
        'P@ssw0rd2024!!',
        'passwordpassword',
        'qwertyuiop123',
        'adminadminadmin1',
        'operator-password',
        'changeme-changeme',
        'abcdefghijklmnop',
        '            x',
      ],
      TOKEN_ENCRYPTION_KEYS: [',', ' , '],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const faults = faultsOf({ ...secrets, [name]: value });
        assert.deepEqual(
          faults.map((fault) => fault.name),
          [name],
          value,
        );
        assert.ok((faults[0]?.fix.length ?? 0) > 10, JSON.stringify(faults));
      }
    }
    const mail = { NOTIFY_SMTP_URL: 'smtp://localhost', NOTIFY_EMAIL_FROM: 'Foyer', NOTIFY_EMAIL_TO: 'me' };
    assert.deepEqual(
      faultsOf({ ...secrets, ...mail }).map((fault) => fault.name),
      ['NOTIFY_EMAIL_FROM', 'NOTIFY_EMAIL_TO'],
    );
  });

  it('the configuration accepts a password and a token that are hard to guess', () => {
    for (const OPERATOR_PASSWORD of [
      'correct horse battery staple',
      'open sesame, please',
      'R2lhbnQgc3RlcHMh1x',
      'a7f3c09be1d4',
      'Tr0ub4dor&3-xkcd',
    ]) {
      assert.deepEqual(
        parseConfig({ ...secrets, OPERATOR_PASSWORD }, manifest).operatorPassword,
        OPERATOR_PASSWORD,
      );
    }
    const METRICS_TOKEN = '4f1c2a9be07d5836af10';
    assert.equal(parseConfig({ ...secrets, METRICS_TOKEN }, manifest).metricsToken, METRICS_TOKEN);
  });

  it('Foyer listens only on this machine by default', () => {
    assert.equal(parseConfig(secrets, manifest).http.host, '127.0.0.1');
    assert.equal(parseConfig({ ...secrets, HOST: '' }, manifest).http.host, '127.0.0.1');
    assert.equal(parseConfig({ ...secrets, HOST: '0.0.0.0' }, manifest).http.host, '0.0.0.0');
  });

  it('the configuration accepts a mail address with a quoted display name', () => {
    const from = '"Foyer, Inc." <foyer@example.com>';
    const mail = {
      NOTIFY_SMTP_URL: 'smtp://localhost',
      NOTIFY_EMAIL_FROM: from,
      NOTIFY_EMAIL_TO: 'a@b.example',
    };
    assert.equal(parseConfig({ ...secrets, ...mail }, manifest).notify.mail?.from, from);
  });

  it('the configuration reports quotes around a value together with the value’s other problems, and prints no secret', () => {
    const faults = faultsOf({ ...secrets, SLACK_CLIENT_SECRET: '"top secret"', PORT: '"many"' });
    assert.deepEqual(
      faults.map((fault) => fault.name),
      ['SLACK_CLIENT_SECRET', 'PORT', 'SLACK_CLIENT_SECRET', 'PORT'],
    );
    assert.doesNotMatch(JSON.stringify(faults), /top secret/);
  });

  it('the configuration refuses an empty list of encryption keys in production', () => {
    const production = { ...secrets, NODE_ENV: 'production', PUBLIC_URL: 'https://foyer.example.com' };
    assert.deepEqual(
      faultsOf({ ...production, TOKEN_ENCRYPTION_KEYS: ',' }).map((fault) => fault.name),
      ['TOKEN_ENCRYPTION_KEYS'],
    );
  });

  it('the configuration accepts database file URLs with an absolute or a relative path', () => {
    const fileOf = (url: string) => {
      const { database } = parseConfig({ ...secrets, DATABASE_URL: url }, manifest);
      return database.kind === 'sqlite' ? database.file : undefined;
    };
    assert.equal(fileOf('file:///var/lib/foyer.db'), '/var/lib/foyer.db');
    assert.equal(fileOf('FILE:/var/lib/a b%20.db'), '/var/lib/a b%20.db');
    assert.ok(fileOf('file:foyer.db')?.endsWith('/foyer.db'));
    const twice = parseConfig({ ...secrets, SLACK_SCOPES: 'chat:write,chat:write users:read' }, manifest);
    assert.deepEqual(twice.slack.botScopes, ['chat:write', 'users:read']);
  });

  it('the configuration reports a manifest that is missing or is a folder, and accepts one that begins with a byte order mark', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'foyer-manifest-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = pathToFileURL(join(folder, 'manifest.json'));
    for (const wrong of [file, pathToFileURL(folder)])
      assert.throws(
        () => readManifest(wrong),
        (error) => error instanceof ConfigError && /manifest\.json: cannot be read: E/.test(error.message),
      );
    writeFileSync(file, `\ufeff${manifest}`);
    assert.equal(readManifest(file), manifest);
  });

  it('the configuration turns connect links on if CONNECT_SECRET is set, and normalizes their return origins', () => {
    const secret = 'a secret of at least thirty-two bytes';
    assert.equal(parseConfig(secrets, manifest).connect, undefined);
    const alone = parseConfig({ ...secrets, CONNECT_SECRET: secret }, manifest);
    assert.deepEqual(alone.connect?.returnOrigins, ['http://localhost:3000']);
    assert.ok(alone.secrets.includes(secret));
    const CONNECT_RETURN_ORIGINS =
      'https://App.example.com:443/, http://localhost:8000,https://app.example.com';
    const CONNECT_CLAIM_URL = 'https://app.example.com/claim?from=slack';
    const given = { ...secrets, CONNECT_SECRET: secret, CONNECT_RETURN_ORIGINS, CONNECT_CLAIM_URL };
    assert.deepEqual(parseConfig(given, manifest).connect, {
      secret,
      returnOrigins: ['https://app.example.com', 'http://localhost:8000'],
      claimUrl: CONNECT_CLAIM_URL,
    });
  });

  it('the configuration refuses a short CONNECT_SECRET, an unsafe or malformed return origin, and an unsafe claim URL', () => {
    const secret = 'a secret of at least thirty-two bytes';
    const wrong: Record<string, string>[] = [
      { CONNECT_SECRET: 'x'.repeat(31) },
      ...[
        'https://app.example.com/path',
        'https://user@app.example.com',
        'app.example.com',
        '*',
        'null',
        'javascript:alert(1)',
        'http://app.example.com',
        'https://app.example.com?x',
      ].map((CONNECT_RETURN_ORIGINS) => ({ CONNECT_SECRET: secret, CONNECT_RETURN_ORIGINS })),
      ...['http://app.example.com/claim', 'https://a@b.example/', 'https://b.example/#x', 'claim'].map(
        (CONNECT_CLAIM_URL) => ({ CONNECT_SECRET: secret, CONNECT_CLAIM_URL }),
      ),
      { CONNECT_RETURN_ORIGINS: 'https://app.example.com' },
    ];
    for (const environment of wrong) {
      const faults = faultsOf({ ...secrets, ...environment });
      const names = Object.keys(environment);
      assert.deepEqual(
        faults.map(({ name }) => name),
        [names.at(-1)],
        JSON.stringify(environment),
      );
      assert.ok(!JSON.stringify(faults).includes(secret));
    }
  });
});

describe('Sign in with Slack', () => {
  it('Sign in with Slack is off by default; if on, it may redirect to PUBLIC_URL and CONNECT_RETURN_ORIGINS, even without CONNECT_SECRET', () => {
    assert.equal(parseConfig(secrets, manifest).signIn, undefined);
    assert.equal(parseConfig({ ...secrets, SIGN_IN: 'off' }, manifest).signIn, undefined);
    const on = { ...secrets, SIGN_IN: 'on' };
    const publicUrl = 'http://localhost:3000';
    assert.deepEqual(parseConfig(on, manifest).signIn, {
      issuer: 'https://slack.com',
      returnOrigins: [publicUrl],
    });
    const CONNECT_RETURN_ORIGINS = `https://app.example.com, ${publicUrl}`;
    const listed = parseConfig({ ...on, CONNECT_RETURN_ORIGINS }, manifest);
    assert.deepEqual(listed.signIn?.returnOrigins, [publicUrl, 'https://app.example.com']);
    assert.equal(listed.connect, undefined);
    const OPERATOR_SLACK_USERS = 'T1/U1, T1/U2,T1/U1';
    const operators = parseConfig({ ...on, OPERATOR_SLACK_USERS }, manifest);
    assert.deepEqual(operators.operatorSlackUsers, ['T1/U1', 'T1/U2']);
  });

  it('the configuration refuses a SIGN_IN other than on or off, an operator that is not written as workspace/user, and an unsafe issuer', () => {
    const wrong: Record<string, string>[] = [
      { SIGN_IN: 'yes' },
      { OPERATOR_SLACK_USERS: 'T1/U1' },
      ...['U1', 'T1', 'U1/T1', 'T1/U1/x', 'grace@example.com', 't1/u1', 'E1/U1'].map(
        (OPERATOR_SLACK_USERS) => ({ SIGN_IN: 'on', OPERATOR_SLACK_USERS }),
      ),
      ...[
        'http://slack.example',
        'https://slack.com/?x',
        'https://a@slack.com',
        'slack.com',
        'ftp://slack.com',
      ].map((SLACK_OPENID_URL) => ({ SIGN_IN: 'on', SLACK_OPENID_URL })),
    ];
    for (const environment of wrong) {
      const faults = faultsOf({ ...secrets, ...environment });
      const names = Object.keys(environment);
      assert.deepEqual(
        faults.map(({ name }) => name),
        [names.at(-1)],
        JSON.stringify(environment),
      );
      assert.ok(faults.every(({ fix }) => fix !== 'see .env.example'));
    }
  });
});
