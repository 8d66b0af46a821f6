import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type Stage, setStage } from '../../support/start-foyer.ts';
import { type Family, parseExposition } from './parse-exposition.ts';

const file = (name: string): string =>
  readFileSync(new URL(`../../../../../operations/${name}`, import.meta.url), 'utf8');

const dashboard = JSON.parse(file('grafana-dashboard.json')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};

/** Every expression of the alert rules, the recording rules and the dashboard, by its name. */
const expressions = new Map([
  ...file('alerts.yml')
    .split(/^ {6}- (?=alert|record)/m)
    .slice(1)
    .map(
      (rule) => [rule.split('\n', 1)[0] ?? '', /expr: \|\n((?: {10}.*\n)+)/.exec(rule)?.[1] ?? ''] as const,
    ),
  ...dashboard.panels.map(
    ({ title, targets }) => [`panel ${title}`, targets.map(({ expr }) => expr).join('\n')] as const,
  ),
]);

interface Selector {
  text: string;
  metric: string;
  matchers: { label: string; operator: string; value: string }[];
}

/**
 * Finds the metrics of a Foyer process in `expression`. Returns each of them with its label matchers, but without the
 * matchers for `job` and `instance`.
 */
function selectorsOf(expression: string): Selector[] {
  const found = expression.matchAll(/(?<![\w:])((?:foyer|nodejs|process)_\w+)(?:\{([^}]*)\})?/g);
  return [...found].map(([text, metric = '', inside = '']) => ({
    text,
    metric,
    matchers: [...inside.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)]
      .map(([, label = '', operator = '', value = '']) => ({ label, operator, value }))
      .filter(({ label }) => label !== 'job' && label !== 'instance'),
  }));
}

function isRead({ metric, matchers }: Selector, families: Map<string, Family>): boolean {
  const samples = [...families.values()].flatMap((family) => family.samples);
  return samples.some(
    ({ name, labels }) =>
      name === metric &&
      matchers.every(({ label, operator, value }) => {
        const has = labels[label] ?? '';
        const matches = operator.includes('~') ? new RegExp(`^(?:${value})$`).test(has) : has === value;
        return operator.startsWith('!') ? !matches : matches;
      }),
  );
}

describe('the alert rules and the dashboard use metrics that Foyer exports', () => {
  let stage: Stage;
  let fresh: Map<string, Family>;
  before(async () => {
    stage = await setStage();
    fresh = parseExposition(await (await fetch(`${stage.url}/metrics`)).text());
  });
  after(() => stage.close());

  it('a fresh process has every metric and label value that the alert rules and the dashboard read', () => {
    assert.ok(expressions.size > 50, `only ${expressions.size} expressions found`);
    for (const [name, expression] of expressions) {
      const selectors = selectorsOf(expression);
      assert.ok(selectors.length > 0 || /job:|up\{/.test(expression), `${name} reads nothing`);
      for (const selector of selectors) assert.ok(isRead(selector, fresh), `${name} reads ${selector.text}`);
    }
  });

  it('a fresh process exports every series that an alert rule or dashboard panel selects with =~, so that a first failure counts as an increase', () => {
    for (const [name, expression] of expressions) {
      for (const selector of selectorsOf(expression)) {
        for (const matcher of selector.matchers.filter(({ operator }) => operator === '=~')) {
          for (const value of matcher.value.split('|')) {
            const one = { ...selector, matchers: [{ ...matcher, operator: '=', value }] };
            assert.ok(isRead(one, fresh), `${name}: ${selector.metric} has no ${matcher.label}="${value}"`);
          }
        }
      }
    }
  });

  it('the dashboard shows every metric of Foyer', () => {
    const drawn = [...expressions].filter(([name]) => name.startsWith('panel ')).map(([, text]) => text);
    const missing = [...fresh.keys()].filter(
      (metric) => metric.startsWith('foyer_') && !drawn.some((text) => text.includes(metric)),
    );
    assert.deepEqual(missing, [], 'what the dashboard leaves out');
  });

  it('each alert rule aggregates over the machines of a job, so that one cause raises only one alert', () => {
    for (const [name, expression] of expressions) {
      if (!name.startsWith('alert: ')) continue;
      const first = expression.trim().split('\n')[0] ?? '';
      const isOverJobs =
        /^\(?(?:sum|min|max|count) by \(job\)|^absent\(|^job:|^histogram_quantile\(0\.99, sum by \(job|^time\(\) - \(max by \(job\)/;
      assert.match(first, isOverJobs, name);
    }
  });
});
