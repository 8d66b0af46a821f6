import type { Platform } from '../platform.ts';
import type { Message, Person, Role, View, Workspace } from '../world/records.ts';
import type { Whom } from './controls.ts';
import { readState, type SandboxState } from './read-state.ts';

/** The functions with which tests read the sandbox's state. */
export function createReaders(platform: Platform) {
  const { world } = platform;
  const personState = ({ teamId, userId }: Whom) =>
    readState(platform)
      .workspaces.find((each) => each.id === teamId)
      ?.people.find((each) => each.id === userId);

  /** A workspace by its id or name. */
  function workspace(idOrName: string): Workspace {
    const found = [...world.workspaces.values()].find(
      (each) => each.id === idOrName || each.name === idOrName,
    );
    if (!found) throw new Error(`There is no workspace ${idOrName}.`);
    return found;
  }

  return {
    state: (): SandboxState => readState(platform),
    workspace,
    /** A member of a workspace by role, name or id; the owner by default. */
    person(workspaceName: string, who: Role | string = 'owner'): Person {
      const { id } = workspace(workspaceName);
      const members = [...world.people.values()].filter((each) => each.roles[id]);
      const found = members.find(
        (each) => each.roles[id] === who || [each.id, each.name, each.realName].includes(who),
      );
      if (!found) throw new Error(`No member of ${workspaceName} has the role, name or id ${who}.`);
      return found;
    },
    /** The messages of the DM between the app and a person, oldest first. */
    messages: (whom: Whom): Message[] => personState(whom)?.directMessage?.messages ?? [],
    homeView: (whom: Whom): View | null => personState(whom)?.homeView ?? null,
  };
}

export type Readers = ReturnType<typeof createReaders>;
