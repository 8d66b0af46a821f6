import type { Platform } from '../platform.ts';
import { html } from './html.ts';
import type { Route } from './routes.ts';

/** Initials on a color for every person, workspace, org and app: `/avatars/<id>.svg`. */
export function avatarRoutes(platform: Platform): Route[] {
  const { world, app } = platform;
  function pictureOf(id: string): { name: string; color: string } {
    const person = world.people.get(id);
    if (person) return { name: person.realName, color: person.color };
    const workspace = world.workspaces.get(id);
    if (workspace) return { name: workspace.name, color: workspace.color };
    const name = world.enterprises.get(id)?.name ?? app.settings.name;
    return { name, color: world.enterprises.has(id) ? '#3b3b58' : app.settings.backgroundColor };
  }
  return [
    {
      on: 'GET /avatars/:id.svg',
      handle(_exchange, { id = '' }) {
        const { name, color } = pictureOf(id);
        const initials = name
          .split(' ')
          .map((word) => word[0] ?? '')
          .slice(0, 2)
          .join('')
          .toUpperCase();
        const size = initials.length > 1 ? 76 : 96;
        const svg = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 192 192" width="192" height="192"><rect width="192" height="192" fill="${color}"/><text x="96" y="98" fill="#fff" font-family="Lato, Helvetica, Arial, sans-serif" font-weight="700" font-size="${size}" text-anchor="middle" dominant-baseline="central">${initials}</text></svg>`;
        const headers = { 'content-type': 'image/svg+xml', 'cache-control': 'max-age=300' };
        return { headers, body: svg.markup };
      },
    },
  ];
}
