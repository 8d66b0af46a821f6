import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type AlertCase, alertCases, freshProcess, machine } from './alert-cases.ts';

const folder = join(import.meta.dirname, '..');
const rulesFile = join(folder, 'alerts.yml');
const rules = readFileSync(rulesFile, 'utf8');
const [, ...alerts] = rules.split(/^ {6}- alert: /m);
const nameOf = (alert: string): string => /^\w+/.exec(alert)?.[0] ?? '';
const severities = new Map(alerts.map((alert) => [nameOf(alert), /severity: (\w+)/.exec(alert)?.[1] ?? '']));

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
const skip = hasPromtool ? false : 'promtool is not installed (Debian: apt-get install prometheus)';

/** Writes a promtool test file. Each case has the series of a fresh process, and its own series override them. */
function testFile(cases: readonly AlertCase[], intervals: { sample: string; evaluation: string }): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const samples = intervals.sample === '1m' ? 100 : 900;
  const tests = cases.map(({ name, at, fires, series, without }) => {
    const fresh = Object.entries(freshProcess)
      .filter(([key]) => !without?.test(key))
      .map(([key, value]) => [key, `${value}x${samples}`] as const);
    const all = new Map([...fresh, ...Object.entries(series)]);
    const inputs = [...all].map(
      ([key, values]) =>
        `      - { series: ${quoted(key.replaceAll('@', machine))}, values: ${quoted(values)} }`,
    );
    const expected = fires.map((alert) => {
      const labels = `alertname="${alert}",alertstate="firing",job="foyer",severity="${severities.get(alert)}"`;
      return `          - { labels: ${quoted(`ALERTS{${labels}}`)}, value: 1 }`;
    });
    return [
      `  - name: ${quoted(name)}`,
      `    interval: ${intervals.sample}`,
      '    input_series:',
      ...inputs,
      '    promql_expr_test:',
      // If a case fails, promtool prints the expression but not the case's name. So a comment in the expression
      // contains the name.
      `      - expr: ${quoted(`ALERTS{alertstate="firing"} # ${name}`)}`,
      `        eval_time: ${at}`,
      '        exp_samples:',
      ...expected,
    ].join('\n');
  });
  return `rule_files: [${rulesFile}]\nevaluation_interval: ${intervals.evaluation}\ntests:\n${tests.join('\n')}\n`;
}

/** Runs all cases in one promtool process, which gives each case its own database. */
function runCases(
  t: TestContext,
  cases: readonly AlertCase[],
  intervals: Parameters<typeof testFile>[1],
): void {
  const temporary = mkdtempSync(join(tmpdir(), 'foyer-alerts-'));
  t.after(() => rmSync(temporary, { recursive: true }));
  const file = join(temporary, 'cases.yml');
  writeFileSync(file, testFile(cases, intervals));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
}

describe('the alert rules', () => {
  it('promtool accepts the alert rules', { skip }, () => {
    execFileSync('promtool', ['check', 'rules', rulesFile]);
  });

  it('each alert test case that spans minutes fires exactly the rules that it names', {
    skip,
  }, (t) => {
    const cases = alertCases.filter(({ slow }) => !slow);
    runCases(t, cases, { sample: '1m', evaluation: '1m' });
  });

  it('each alert test case that spans hours or days fires exactly the rules that it names', {
    skip,
  }, (t) => {
    const cases = alertCases.filter(({ slow }) => slow);
    runCases(t, cases, { sample: '5m', evaluation: '5m' });
  });

  it('each alert rule has a test case in which it fires', () => {
    const firing = new Set(alertCases.flatMap(({ fires }) => fires));
    assert.deepEqual(
      [...severities.keys()].filter((name) => !firing.has(name)),
      [],
    );
    assert.ok(alertCases.some(({ fires }) => fires.length === 0));
  });

  it('each alert rule links to its own section of the runbook', () => {
    const runbook = readFileSync(join(folder, '../docs/runbook.md'), 'utf8');
    const anchors = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const alert of alerts) {
      const url = /runbook_url: (\S+)/.exec(alert)?.[1];
      assert.equal(url, `docs/runbook.md#${nameOf(alert).toLowerCase()}`);
      assert.ok(anchors.includes(nameOf(alert).toLowerCase()), `${nameOf(alert)} has no section`);
    }
  });

  it('each alert rule has the severity `page` or `ticket`, and no rule pages anyone because of requests that fail verification', () => {
    for (const [name, severity] of severities) assert.match(severity, /^(?:page|ticket)$/, name);
    assert.equal(severities.get('FoyerFlooded'), 'ticket');
    const paging = alerts.filter((alert) => severities.get(nameOf(alert)) === 'page');
    for (const alert of paging) assert.doesNotMatch(alert, /outcome="unverified"|kind="signature_wrong"/);
  });
});
