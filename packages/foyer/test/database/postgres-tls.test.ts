import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { DatabaseUnavailableError } from '../../src/database/database.ts';
import { openPostgres } from '../../src/database/postgres/open-postgres.ts';
import { startPostgresServer } from '../support/postgres-server.ts';

const run = promisify(execFile);

/**
 * Makes three certificates: an authority's, one for the server `host`, signed by that authority, and a second
 * authority's, which signs nothing.
 */
async function makeCertificates(folder: string, host: string): Promise<void> {
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const selfSigned = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const name of ['ca', 'stranger'])
    await openssl(
      ...[...selfSigned, '-days', '2', '-subj', `/CN=${name}`],
      ...['-keyout', `${name}.key`, '-out', `${name}.crt`],
    );
  await openssl(
    ...[...selfSigned, '-days', '2', '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`],
    ...['-CA', 'ca.crt', '-CAkey', 'ca.key', '-keyout', 'server.key', '-out', 'server.crt'],
  );
}

it('over TLS, Foyer refuses a Postgres certificate that is untrusted or names another host, and does not retry', {
  timeout: 60_000,
}, async (t) => {
  const hasOpenssl = await run('openssl', ['version']).then(
    ({ stdout }) => stdout.startsWith('OpenSSL 3'),
    () => false,
  );
  if (!hasOpenssl)
    return t.skip('OpenSSL 3, which makes the certificates, is not installed (apt-get install openssl)');
  const folder = await mkdtemp(join(tmpdir(), 'foyer-tls-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await makeCertificates(folder, 'localhost');
  // If the test runs as root, Postgres runs as user 65534 and accepts only a key that this user owns.
  if (process.getuid?.() === 0)
    for (const name of ['', 'server.key', 'server.crt']) await chown(join(folder, name), 65_534, 65_534);
  const server = await startPostgresServer({
    settings: ['ssl=on', `ssl_cert_file=${folder}/server.crt`, `ssl_key_file=${folder}/server.key`],
  });
  t.after(() => server.close());

  const at = (host: string, parameters: Record<string, string>): string => {
    const url = Object.assign(new URL(server.url()), { hostname: host });
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  };
  const trusted = { sslmode: 'verify-full', sslrootcert: join(folder, 'ca.crt') };

  const database = await openPostgres(at('localhost', trusted));
  const { rows } = await sql<{ ssl: boolean }>`
    select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(database.queries);
  await database.write((trx) => trx.deleteFrom('encryption_keys').execute());
  await database.close();
  assert.deepEqual(rows, [{ ssl: true }]);

  const refused = [
    [
      'another authority',
      at('localhost', { ...trusted, sslrootcert: join(folder, 'stranger.crt') }),
      /unable to verify|self-signed|unable to get/i,
    ],
    [
      'no authority',
      at('localhost', { sslmode: 'verify-full' }),
      /unable to verify|self-signed|unable to get/i,
    ],
    ['another name', at('127.0.0.1', trusted), /does not match|altnames/i],
  ] as const;
  await Promise.all(
    refused.map(([what, url, reason]) =>
      // If `openPostgres` retried after such an error, it would retry for longer than this test's time limit, and the
      // test would fail.
      assert.rejects(openPostgres(url, { patienceMs: 600_000 }), (error) => {
        assert.ok(error instanceof DatabaseUnavailableError, `${what}: ${error}`);
        assert.match(error.message, reason, what);
        return true;
      }),
    ),
  );
});
