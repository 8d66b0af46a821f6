import { type ChildProcess, spawn } from 'node:child_process';
import { readSystemdUnit } from './config/config.ts';
import type { Logger } from './config/log.ts';

/** Reports the state of this process to systemd. */
export interface SystemdNotifier {
  /**
   * Reports that Foyer is ready, so that `systemctl start` returns. `status` is a line for `systemctl status`. If the
   * unit has a watchdog, Foyer reports to it regularly from then on.
   */
  ready(status: string): void;
}

/** After a failed `systemd-notify`, Foyer waits this long before it reports again. */
const tryAgainMs = 1000;

/**
 * A shell script that passes each line to systemd. It ends with the exit code of the first `systemd-notify` that fails.
 */
const passOn = 'while IFS= read -r line; do systemd-notify "$line" || exit; done';

/**
 * Returns the notifier of a unit with `Type=notify`; undefined if no such unit started this process.
 *
 * Why a shell: systemd listens on a Unix datagram socket, which Node cannot open. Foyer writes to one long-running
 * shell instead of starting a shell for each line, because each fork stops Foyer for 30 ms. If Foyer hangs, it writes
 * nothing, and the watchdog notices.
 */
export function createSystemdNotifier(log: Logger): SystemdNotifier | undefined {
  const unit = readSystemdUnit();
  if (!unit) return undefined;
  let shell: ChildProcess | undefined;
  let lines: readonly string[] = [];

  function startShell(): ChildProcess {
    // Passes only what `systemd-notify` needs: Foyer's own environment contains secrets.
    const started = spawn('/bin/sh', ['-c', passOn], {
      env: unit?.environment,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    const lose = (why: object): void => {
      if (shell !== started) return;
      shell = undefined;
      // READY=1 may be lost, and `systemctl start` would wait for it forever. So this sends all lines to a new shell.
      setTimeout(sayReady, tryAgainMs).unref();
      log.error(why, 'systemd-notify failed, so systemd does not know that Foyer is ready and running');
    };
    started.on('error', (error) => lose({ err: error }));
    started.on('exit', (exitCode, signal) => lose({ exitCode, signal }));
    started.stdin?.on('error', () => {});
    started.unref();
    return started;
  }

  function send(line: string): void {
    shell ??= startShell();
    shell.stdin?.write(`${line}\n`);
  }

  function sayReady(): void {
    for (const line of lines) send(line);
  }

  return {
    ready(status) {
      lines = [`STATUS=${status}`, 'READY=1'];
      sayReady();
      if (unit.watchdogMs !== undefined) setInterval(() => send('WATCHDOG=1'), unit.watchdogMs / 3).unref();
    },
  };
}
