import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

/** Checks compose.yaml, the systemd unit and deploy/README.md against the rest of the checkout. */

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const withoutComments = (file: string): string => read(file).replace(/^\s*#.*$/gm, '');
const compose = withoutComments('compose.yaml');
const unit = withoutComments('deploy/foyer.service');
const page = read('deploy/README.md');
const { scripts }: { scripts: { start: string } } = JSON.parse(read('package.json'));
const foyersVariables = new Set([...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name));

/** How long Foyer may take to stop. After this time, `serve` ends the process even if something is still running. */
const drainSeconds = 10;

it('Node’s heap has the same size limits wherever Foyer is started', () => {
  const sizes = (text: string): string[] => text.match(/--max-[a-z-]+=\d+/g) ?? [];
  const wanted = sizes(scripts.start);
  assert.equal(wanted.length, 2);
  const [, command = ''] = /^(?:CMD) (\[.*main.*\])$/m.exec(read('Dockerfile')) ?? [];
  assert.deepEqual(sizes(command), wanted);
  assert.deepEqual(sizes(unit), wanted);
  for (const size of wanted) assert.ok(page.includes(size), `deploy/README.md does not mention ${size}`);
});

it('a signal cannot open Node’s inspector, however Foyer is started, and the systemd unit and compose.yaml turn off core dumps', () => {
  const flag = '--disable-sigusr1';
  const image = read('Dockerfile');
  assert.match(image, new RegExp(`^CMD \\["${flag}"`, 'm'));
  for (const text of [scripts.start, unit]) assert.match(text, new RegExp(`node ${flag} `));
  for (const line of page.match(/.*\/usr\/bin\/node .*/g) ?? []) assert.ok(line.includes(flag), line);
  assert.match(unit, /^LimitCORE=0$/m);
  assert.match(compose, /ulimits: \{ core: 0 \}/);
});

it('Foyer listens on all interfaces in a container', () => {
  assert.match(read('Dockerfile'), /^ {2}HOST=0\.0\.0\.0 /m);
  assert.match(compose, /^ {4}HOST: 0\.0\.0\.0$/m);
  // `-e HOST=` would override the image's setting, and Foyer could not be reached through the published port.
  assert.doesNotMatch(page, /-e HOST= /);
});

it('the proxy limits the size of bodies and headers', () => {
  const caddyfile = withoutComments('deploy/Caddyfile');
  assert.match(caddyfile, /request_body \{\s*max_size 1MiB\s*\}/);
  assert.match(caddyfile, /max_header_size 16KB/);
});

describe('compose.yaml', () => {
  it('each variable that compose.yaml reads is in .env.example or deploy/README.md', () => {
    const asked = [...compose.matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
    assert.ok(asked.length >= 8);
    const strangers = asked.filter((name) => !foyersVariables.has(name) && !page.includes(`\`${name}\``));
    assert.deepEqual(strangers, []);
  });

  it('each variable that compose.yaml sets is known to Foyer', () => {
    const [, block = ''] = /\n {2}environment:\n((?: {4}.*\n|\n)+)/.exec(compose) ?? [];
    const names = [...block.matchAll(/^ {4}([A-Z_]+):/gm)].map(([, name = '']) => name);
    assert.ok(names.length >= 8);
    assert.deepEqual(
      names.filter((name) => !foyersVariables.has(name)),
      [],
    );
  });

  it('compose.yaml stops with an error if a required variable is missing from .env', () => {
    for (const name of [
      'SLACK_CLIENT_ID',
      'SLACK_CLIENT_SECRET',
      'SLACK_SIGNING_SECRET',
      'TOKEN_ENCRYPTION_KEYS',
      'PUBLIC_URL',
      'POSTGRES_PASSWORD',
    ]) {
      const uses = [...compose.matchAll(new RegExp(`\\$\\{${name}([^}]*)\\}`, 'g'))];
      assert.ok(uses.length > 0, name);
      for (const [, after = ''] of uses) assert.match(after, /^:\?is missing in \.env - /, name);
    }
  });

  it('compose.yaml publishes only the ports of the proxy', () => {
    assert.deepEqual(compose.match(/^ +ports:.*/gm), ["    ports: ['80:80', '443:443', '443:443/udp']"]);
  });

  it('compose.yaml gives each Foyer instance its own host name, because the host name identifies the owner of a run’s lease', () => {
    const names = [...compose.matchAll(/hostname: (\S+)/g)].map(([, name]) => name);
    assert.equal(names.length, 2);
    assert.equal(new Set(names).size, 2);
  });

  it('Docker waits longer for Foyer to stop than Foyer takes to drain', () => {
    const [, seconds] = /x-foyer:[\s\S]*?stop_grace_period: (\d+)s/.exec(compose) ?? [];
    assert.ok(Number(seconds) > drainSeconds);
  });
});

describe('the systemd unit', () => {
  it('systemd waits longer for Foyer to stop than Foyer takes to drain', () => {
    const [, seconds] = /^TimeoutStopSec=(\d+)s$/m.exec(unit) ?? [];
    assert.ok(Number(seconds) > drainSeconds);
  });

  it('systemd waits until Foyer is ready, restarts it if it hangs, and does not restart it after an error that only a person can fix', () => {
    for (const line of ['Type=notify', 'NotifyAccess=all', 'WatchdogSec=30s', 'RestartPreventExitStatus=78'])
      assert.match(unit, new RegExp(`^${line}$`, 'm'));
    // With a time limit, systemd would cut off a long migration at every start, so the migration would never finish.
    assert.match(unit, /^TimeoutStartSec=infinity$/m);
  });

  it('the systemd unit contains no configuration, since every user of the machine could read it', () => {
    assert.doesNotMatch(unit, /^Environment=/m);
    assert.match(unit, /^EnvironmentFile=\/etc\/foyer\/foyer\.env$/m);
  });

  it('the file that the systemd unit starts is in the repository', () => {
    const [, file = ''] = /^ExecStart=\S+(?: --\S+)* \/opt\/foyer\/current\/(\S+)$/m.exec(unit) ?? [];
    assert.ok(existsSync(join(root, file)));
  });
});

describe('deploy/README.md', () => {
  it('each link in deploy/README.md leads to a file or section that exists', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
    const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(
      ([, heading = '']) =>
        `#${heading
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-')}`,
    );
    const isThere = (target: string): boolean => {
      const [file = ''] = target.split('#');
      if (file === '') return anchors.includes(target);
      return /^https:/.test(target) || existsSync(join(root, 'deploy', file));
    };
    assert.ok(links.length > 20);
    assert.deepEqual(
      links.filter((target) => !isThere(target)),
      [],
    );
  });

  it('each variable in deploy/README.md is a variable of Foyer, or appears in compose.yaml or the Caddyfile', () => {
    const known = read('compose.yaml') + read('deploy/Caddyfile') + [...foyersVariables].join(' ');
    const named = [...page.matchAll(/`([A-Z]+_[A-Z_]+)`/g)].map(([, name = '']) => name);
    assert.deepEqual(
      [...new Set(named)].filter((name) => !known.includes(name)),
      [],
    );
  });
});
