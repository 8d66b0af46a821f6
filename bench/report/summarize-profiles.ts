import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Frame {
  functionName: string;
  url: string;
  lineNumber: number;
}
interface Profile {
  nodes: { id: number; callFrame: Frame; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

const mostFunctions = 25;

/**
 * Summarizes each profile in `folder`: the share of the busy time that each package or source folder took, and the
 * share that each function took. Lists the largest shares first.
 */
export async function summarizeProfiles(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'));
  const texts = files.map(async (file) => {
    // Node wrote the file, so its format is known.
    const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as Profile;
    return `${file}\n${summaryOf(profile)}`;
  });
  return (await Promise.all(texts)).join('\n\n');
}

function summaryOf({ nodes, samples, timeDeltas }: Profile): string {
  const places = placesOf(nodes);
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byPlace = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let busyUs = 0;
  samples.forEach((id, index) => {
    const frame = frames.get(id);
    if (!frame || ['(idle)', '(program)', '(root)'].includes(frame.functionName)) return;
    const us = timeDeltas[index] ?? 0;
    const [place, name] = [places.get(id) ?? '?', nameOf(frame)];
    byPlace.set(place, (byPlace.get(place) ?? 0) + us);
    byFunction.set(name, (byFunction.get(name) ?? 0) + us);
    busyUs += us;
  });
  const top = (times: ReadonlyMap<string, number>, most: number): string =>
    [...times]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([name, us]) => `${((us / busyUs) * 100).toFixed(1).padStart(6)} %  ${name}`)
      .join('\n');
  return `${top(byPlace, mostFunctions)}\n  --\n${top(byFunction, mostFunctions)}`;
}

/** The package or folder of each node of the profile; native code counts toward its caller. */
function placesOf(nodes: Profile['nodes']): Map<number, string> {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const places = new Map<number, string>();
  const visit = (id: number, callers: string): void => {
    const node = known.get(id);
    if (!node) return;
    const place = placeOf(node.callFrame) ?? callers;
    places.set(id, place);
    for (const child of node.children ?? []) visit(child, place);
  };
  const [root] = nodes;
  if (root) visit(root.id, 'node');
  return places;
}

function placeOf({ url, functionName }: Frame): string | undefined {
  if (functionName === '(garbage collector)') return 'garbage collector';
  const [, dependency] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (dependency) return dependency;
  const [, ours] = /\/(src\/[^/]+|bench\/[^/]+)/.exec(url) ?? [];
  if (ours) return ours;
  const [, internal] = /^node:(?:internal\/)?([^/]+)/.exec(url) ?? [];
  return internal && `node:${internal}`;
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const file = url.split('/').slice(-2).join('/');
  return `${functionName || '(anonymous)'}${file && ` ${file}:${lineNumber + 1}`}`;
}
