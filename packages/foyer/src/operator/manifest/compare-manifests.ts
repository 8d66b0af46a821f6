/** One place where Slack's manifest differs from ours. */
export interface ManifestDifference {
  /** Such as `settings.event_subscriptions.bot_events`. */
  path: string;
  /** Our value, or null if only Slack has one. */
  expected: unknown;
  /** Slack's value, or null if it has none. */
  found: unknown;
}

/**
 * Lists where a manifest exported from Slack differs from ours. Lists such as scopes and events are sets: their order
 * does not matter, and each missing or extra item is a separate difference. Slack's export spells out settings that we
 * leave at their default, so a setting that only Slack has and that is off or empty is not a difference. `_metadata` is
 * ignored: it describes the file and not the app.
 */
export function compareManifests(ours: unknown, slacks: unknown, path = ''): ManifestDifference[] {
  if (Array.isArray(ours) && Array.isArray(slacks)) return compareLists(ours, slacks, path);
  if (!isObject(ours) || !isObject(slacks)) {
    return ours === slacks ? [] : [{ path, expected: ours, found: slacks ?? null }];
  }
  const names = new Set([...Object.keys(ours), ...Object.keys(slacks)]);
  if (path === '') names.delete('_metadata');
  return [...names].flatMap((name) => {
    const inner = path === '' ? name : `${path}.${name}`;
    if (name in ours) return compareManifests(ours[name], slacks[name], inner);
    return isOff(slacks[name]) ? [] : [{ path: inner, expected: null, found: slacks[name] }];
  });
}

function compareLists(ours: unknown[], slacks: unknown[], path: string): ManifestDifference[] {
  const texts = (list: unknown[]) => new Set(list.map((item) => JSON.stringify(item)));
  const [wanted, present] = [texts(ours), texts(slacks)];
  return [
    ...ours
      .filter((item) => !present.has(JSON.stringify(item)))
      .map((expected) => ({ path, expected, found: null })),
    ...slacks
      .filter((item) => !wanted.has(JSON.stringify(item)))
      .map((found) => ({ path, expected: null, found })),
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns whether a value is false, null, empty, or an object that holds only such values. */
function isOff(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).every(isOff);
  return value === false || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
