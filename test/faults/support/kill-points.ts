import Sqlite from 'better-sqlite3';
import type { ProcessStage } from './process-stage.ts';

/**
 * Instants at which a process can be killed. Foyer itself knows nothing of them: Slack's side sees each call come and
 * go, and a reader of the database file sees each commit.
 */
export interface KillPoint {
  name: string;
  /** Lies in wait; `kill` is called once when the instant has come. Returns what calls the wait off. */
  arm(stage: ProcessStage, kill: () => void): () => void;
}

export type Phase = 'as it arrives' | 'before its answer' | 'after its answer';
export const phases: readonly Phase[] = ['as it arrives', 'before its answer', 'after its answer'];

/** When the `nth` call of a method from now on comes or goes. */
export function atCall(method: string, nth: number, phase: Phase, delayMs = 0): KillPoint {
  const which = nth === 1 ? '' : ` no. ${nth}`;
  return {
    name: `${method}${which} ${phase}${delayMs > 0 ? ` (+${delayMs} ms)` : ''}`,
    arm(stage, kill) {
      const { sandbox } = stage;
      let seen = 0;
      if (phase === 'as it arrives') {
        // The sandbox asks for a fault before it acts: the one place where a call is known and nothing is done yet.
        const { take } = sandbox.faults;
        sandbox.faults.take = (name, places) => {
          if (name !== method) return take(name, places);
          seen += 1;
          if (seen !== nth) return take(name, places);
          kill();
          return { type: 'reset-before-acting' };
        };
        return () => {
          sandbox.faults.take = take;
        };
      }
      return sandbox.onActivity((activity) => {
        if (activity.kind !== 'called' || activity.method !== method) return;
        seen += 1;
        if (seen !== nth) return;
        if (phase === 'before its answer') kill();
        else setTimeout(kill, delayMs);
      });
    },
  };
}

/** When the operators' webhook is called, before or after it has posted. */
export function atWebhook(phase: 'as it arrives' | 'before its answer'): KillPoint {
  return {
    name: `the operators’ webhook ${phase}`,
    arm({ webhook }, kill) {
      webhook.answerWith((_req, res, post) => {
        if (phase === 'before its answer') post();
        kill();
        res.destroy();
      }, 1);
      return () => webhook.answerWith('ok');
    },
  };
}

/** Right after the `nth` commit from now on. */
export function atCommit(nth: number): KillPoint {
  return {
    name: `right after commit ${nth}`,
    arm({ databaseFile }, kill) {
      const database = new Sqlite(databaseFile, { readonly: true });
      const version = () => database.pragma('data_version', { simple: true });
      let known = version();
      let seen = 0;
      let over = false;
      const look = (): void => {
        if (over) return;
        const now = version();
        if (now !== known) seen += 1;
        known = now;
        if (seen >= nth) {
          over = true;
          kill();
        } else setImmediate(look);
      };
      look();
      return () => {
        over = true;
        database.close();
      };
    },
  };
}

/** After a time. */
export function afterMs(delayMs: number): KillPoint {
  return {
    name: `after ${delayMs} ms`,
    arm(_stage, kill) {
      const timer = setTimeout(kill, delayMs);
      return () => clearTimeout(timer);
    },
  };
}
