import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { ConfigError } from '../../src/config/config-error.ts';
import { listen } from '../../src/http/own-server.ts';

const faultsOf = async (http: { port: number; host: string }) => {
  const error = await listen(createServer(), http).then(
    () => assert.fail('it listens'),
    (refusal: unknown) => refusal,
  );
  assert.ok(error instanceof ConfigError);
  return error.problems;
};

describe('a server that cannot listen', () => {
  it('reports a port that is taken, with its fix', async (t) => {
    const first = await listen(createServer(), { port: 0, host: '127.0.0.1' });
    t.after(() => first.close(0));
    const { port } = first.address;
    assert.deepEqual(await faultsOf({ port, host: '127.0.0.1' }), [
      {
        name: 'PORT',
        problem: `${port} is taken: another process listens on it`,
        fix: 'stop that process, or use another port',
      },
    ]);
  });

  it('reports an address that does not belong to this machine or is not an address', async () => {
    // 192.0.2.0/24 is reserved for documentation (RFC 5737).
    for (const host of ['192.0.2.1', 'http://127.0.0.1', '[::1]']) {
      const [fault] = await faultsOf({ port: 0, host });
      assert.equal(fault?.name, 'HOST', host);
      assert.match(fault.problem, /is not an address of this machine/);
    }
  });
});
