import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const most = 30;

/** Says where the time of each profile in a folder went: the functions that were found running themselves, longest first. */
export async function summarizeProfiles(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'));
  const texts = files.map(async (file) => {
    const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as Profile;
    return `\n${file}\n${topFunctions(profile)}`;
  });
  return (await Promise.all(texts)).join('\n');
}

function topFunctions({ nodes, samples, timeDeltas }: Profile): string {
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, frameName(callFrame)]));
  const selfUs = new Map<string, number>();
  let busyUs = 0;
  samples.forEach((id, index) => {
    const name = nameOf.get(id) ?? '';
    const us = timeDeltas[index] ?? 0;
    if (name === '(idle)' || name === '(program)' || name === '(root)') return;
    selfUs.set(name, (selfUs.get(name) ?? 0) + us);
    busyUs += us;
  });
  return [...selfUs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, us]) => `${((us / busyUs) * 100).toFixed(1).padStart(6)} %  ${name}`)
    .join('\n');
}

function frameName({ functionName, url, lineNumber }: Profile['nodes'][number]['callFrame']): string {
  const file = url.split('/').slice(-2).join('/');
  return `${functionName || '(anonymous)'}${file && ` ${file}:${lineNumber + 1}`}`;
}
