import { spawn } from 'node:child_process';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the program that opens a page in the browser of the person at the terminal; undefined in CI, and on a Linux
 * without a display: there `xdg-open` would start a text browser inside the terminal.
 */
export function browserProgram(
  platform: string,
  environment: Environment,
): [program: string, ...args: string[]] | undefined {
  if (environment.CI) return undefined;
  if (platform === 'darwin') return ['open'];
  // Not `start`: it is a command of cmd, which interprets & and % in the address.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return environment.DISPLAY || environment.WAYLAND_DISPLAY ? ['xdg-open'] : undefined;
}

/** Opens a page, best effort: it does not wait, and a program that is missing or fails is ignored. */
export function openInBrowser(url: string, [program, ...args]: readonly [string, ...string[]]): void {
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
