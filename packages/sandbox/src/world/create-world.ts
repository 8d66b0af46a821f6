import { slackId } from '../ids.ts';
import type { Person, Role, Workspace } from './records.ts';
import type { World } from './world.ts';

const initech = { id: 'E07INITECHX', name: 'Initech', domain: 'initech' };

const workspaces: Workspace[] = [
  { id: 'T07ACME4QX1', name: 'Acme', domain: 'acme-robotics', ...look('#b3541e') },
  { id: 'T07GLOBEX82', name: 'Globex', domain: 'globex', ...look('#1d6f8a') },
  {
    id: 'T07INIPROD5',
    name: 'Initech Product',
    domain: 'initech-product',
    ...look('#6b3fa0', initech.id),
  },
  { id: 'T07INISALE9', name: 'Initech Sales', domain: 'initech-sales', ...look('#2f7d4f', initech.id) },
];

const [acme, globex, product, sales] = ['T07ACME4QX1', 'T07GLOBEX82', 'T07INIPROD5', 'T07INISALE9'] as const;

const zones = {
  amsterdam: ['Europe/Amsterdam', 'Central European Time', 'en-GB'],
  newYork: ['America/New_York', 'Eastern Time', 'en-US'],
  pacific: ['America/Los_Angeles', 'Pacific Time', 'en-US'],
  tokyo: ['Asia/Tokyo', 'Japan Standard Time', 'ja-JP'],
  kolkata: ['Asia/Kolkata', 'India Standard Time', 'en-GB'],
  berlin: ['Europe/Berlin', 'Central European Time', 'de-DE'],
} as const;

const people: Person[] = [
  person('U07GRACEH01', 'Grace Okafor', 'acme-robotics', 'Founder', 'amsterdam', '#7c2d57', acme, 'owner'),
  person('U07MATEOV02', 'Mateo Vargas', 'acme-robotics', 'IT lead', 'newYork', '#205f4b', acme, 'admin'),
  person('U07PRIYAN03', 'Priya Nair', 'acme-robotics', 'Engineer', 'kolkata', '#8a5a00', acme, 'member'),
  person('U07HANNAW11', 'Hanna Weiss', 'globex', 'Managing director', 'berlin', '#1f4e8c', globex, 'owner'),
  person('U07KENJIS12', 'Kenji Sato', 'globex', 'Workplace systems', 'tokyo', '#7a1f1f', globex, 'admin'),
  person('U07LENAFI13', 'Léna Fischer', 'globex', 'Designer', 'berlin', '#3f6212', globex, 'member'),
  {
    ...person('W07BILLLUM1', 'Bill Lumen', 'initech', 'Org owner', 'newYork', '#5b2a86', product, 'owner'),
    roles: { [product]: 'owner', [sales]: 'owner' },
    isOrgAdmin: true,
  },
  person(
    'W07NINABOW2',
    'Nina Bowers',
    'initech',
    'Product operations',
    'pacific',
    '#0f766e',
    product,
    'admin',
  ),
  person('W07SAMIRN03', 'Samir Nazari', 'initech', 'Developer', 'pacific', '#9a3412', product, 'member'),
  person('W07PETERG04', 'Peta Gibson', 'initech', 'Sales operations', 'newYork', '#334155', sales, 'admin'),
  person('W07JOANNA05', 'Joanna Flair', 'initech', 'Account manager', 'newYork', '#be185d', sales, 'member'),
];

function look(color: string, enterpriseId: string | null = null) {
  return { enterpriseId, requiresApproval: false, locale: 'en-US', color };
}

function person(
  id: string,
  realName: string,
  domain: string,
  title: string,
  zone: keyof typeof zones,
  color: string,
  teamId: string,
  role: Role,
): Person {
  const [timeZone, timeZoneLabel, locale] = zones[zone];
  const words = realName.normalize('NFD').replace(/[^a-zA-Z ]/g, '');
  const name = words.split(' ')[0]?.toLowerCase() ?? id;
  const email = `${words.replaceAll(' ', '.').toLowerCase()}@${domain}.example`;
  return {
    id,
    name,
    realName,
    email,
    title,
    timeZone,
    timeZoneLabel,
    locale,
    color,
    roles: { [teamId]: role },
    isOrgAdmin: false,
    isDeactivated: false,
  };
}

/** Fills an empty world with the workspaces, the people and one `#general` per workspace. */
function seedWorld(world: World): void {
  world.enterprises.set(initech.id, { ...initech });
  for (const each of people) world.people.set(each.id, { ...each, roles: { ...each.roles } });
  for (const workspace of workspaces) placeWorkspace(world, { ...workspace });
}

/** Adds a standalone workspace, with an owner, an admin and a member who are named after the workspace. */
export function addWorkspace(world: World, name: string): Workspace {
  const id = slackId('T');
  const domain = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  for (const role of ['owner', 'admin', 'member'] as const) {
    const added = person(slackId('U'), `${name} ${role}`, domain, role, 'berlin', '#475569', id, role);
    world.people.set(added.id, added);
  }
  const workspace: Workspace = { id, name, domain, ...look('#475569') };
  placeWorkspace(world, workspace);
  return workspace;
}

/** Adds a person to a workspace and its `#general`; a guest is in no channel yet. */
export function addPerson(
  world: World,
  { teamId, realName, role }: { teamId: string; realName: string; role: Role },
): Person {
  const { domain } = world.workspaces.get(teamId) ?? { domain: 'somewhere' };
  const id = slackId('U');
  const added = person(id, realName, domain, role, 'berlin', '#475569', teamId, role);
  world.people.set(id, added);
  if (role !== 'guest') world.conversations.get(teamId.replace(/^T/, 'C'))?.memberIds.push(id);
  return added;
}

function placeWorkspace(world: World, workspace: Workspace): void {
  world.workspaces.set(workspace.id, workspace);
  const id = workspace.id.replace(/^T/, 'C');
  const memberIds = [...world.people.values()]
    .filter((each) => each.roles[workspace.id])
    .map((each) => each.id);
  world.conversations.set(id, {
    id,
    kind: 'channel',
    teamId: workspace.id,
    name: 'general',
    createdAt: Date.UTC(2024, 0, 8),
    memberIds,
    messages: [],
  });
}

/** A new world: people, two standalone workspaces, a Grid org with two more workspaces, and no installs. */
export function createWorld(): World {
  const world: World = {
    enterprises: new Map(),
    workspaces: new Map(),
    people: new Map(),
    conversations: new Map(),
    installations: new Map(),
    tokens: new Map(),
    codes: new Map(),
    signInCodes: new Map(),
    signInTokens: new Map(),
    homeViews: new Map(),
    modals: new Map(),
    triggers: new Map(),
    responseUrls: new Map(),
    webhooks: new Map(),
    approvalRequests: [],
    botIdentities: new Map(),
    reset() {
      for (const part of Object.values(world)) if (part instanceof Map) part.clear();
      world.approvalRequests.length = 0;
      seedWorld(world);
    },
  };
  seedWorld(world);
  return world;
}
