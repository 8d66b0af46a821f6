import assert from 'node:assert/strict';

/** One sample of a scrape. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples of one metric, with the type and the help text from its comments. */
export interface Family {
  name: string;
  type: string;
  help: string;
  samples: Sample[];
}

// Prometheus parses numbers with Go's ParseFloat, which ignores the case of NaN. The library prom-client writes `Nan`.
const sampleLine =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([nN][aA][nN]|[+-]Inf|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y;

/**
 * Parses Prometheus' text format, version 0.0.4, and checks its rules: each family has one HELP line, its samples
 * follow it and have a matching name, no sample appears twice, bucket counts never decrease, and the last bucket is
 * +Inf and equals the count.
 * (prometheus.io/docs/instrumenting/exposition_formats/#text-based-format)
 */
export function parseExposition(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'), 'the last line must end with a line feed');
  const families = new Map<string, Family>();
  let current: Family | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      assert.ok(!families.has(name), `${name} is announced twice`);
      current = { name, type: 'untyped', help: rest, samples: [] };
      families.set(name, current);
    } else if (kind === 'TYPE') {
      assert.equal(current?.name, name, `the type of ${name} does not follow its help`);
      assert.match(rest, /^(counter|gauge|histogram|summary|untyped)$/);
      assert.equal(current?.samples.length, 0);
      if (current) current.type = rest;
    } else {
      const sample = parseSample(line);
      assert.ok(current && belongsTo(sample.name, current), `${sample.name} belongs to no family`);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) verifyFamily(family);
  return families;
}

function parseSample(line: string): Sample {
  const [, name = '', inner = '', number = ''] = sampleLine.exec(line) ?? [];
  assert.ok(name, `not a sample: ${line}`);
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  for (let at = 0; at < inner.length; at = labelPair.lastIndex) {
    const [, label = '', value = ''] = labelPair.exec(inner) ?? assert.fail(`malformed labels: ${line}`);
    assert.ok(!Object.hasOwn(labels, label), `${label} appears twice: ${line}`);
    labels[label] = value.replaceAll(/\\(["\\n])/g, (_, mark: string) => (mark === 'n' ? '\n' : mark));
  }
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) };
}

function belongsTo(sampleName: string, { name, type }: Family): boolean {
  if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sampleName);
  if (type === 'summary') return [name, `${name}_sum`, `${name}_count`].includes(sampleName);
  return sampleName === name;
}

function verifyFamily(family: Family): void {
  const keys = family.samples.map(
    ({ name, labels }) => `${name}${JSON.stringify(Object.entries(labels).toSorted())}`,
  );
  assert.equal(new Set(keys).size, keys.length, `${family.name} has a sample twice`);
  if (family.type === 'counter') for (const { value } of family.samples) assert.ok(value >= 0, family.name);
  if (family.type !== 'histogram') return;
  const series = Map.groupBy(family.samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const samples of series.values()) {
    const buckets = samples.filter(({ name }) => name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('+Inf', 'Infinity')));
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `the buckets of ${family.name}`,
    );
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      `the buckets of ${family.name} shrink`,
    );
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY);
    assert.equal(counts.at(-1), samples.find(({ name }) => name.endsWith('_count'))?.value);
  }
}

/** The sum of the samples with this name and these labels; 0 if there are none. */
export function sampleValue(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const fits = (sample: Sample) =>
    sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
  return (family?.samples ?? []).filter(fits).reduce((sum, sample) => sum + sample.value, 0);
}
