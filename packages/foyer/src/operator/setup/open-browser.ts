import { spawn } from 'node:child_process';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the program that opens a page in the browser of the person at the terminal. Undefined in CI, and on a Linux
 * machine without a display: `xdg-open` would start a text browser inside the terminal there.
 */
export function browserProgram(
  platform: string,
  environment: Environment,
): [program: string, ...args: string[]] | undefined {
  if (environment.CI) return undefined;
  if (platform === 'darwin') return ['open'];
  // Not `start`: that is a command of cmd, and cmd interprets & and % in the URL.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return environment.DISPLAY || environment.WAYLAND_DISPLAY ? ['xdg-open'] : undefined;
}

/** Opens a page, best effort: does not wait, and ignores a program that is missing or fails. */
export function openInBrowser(url: string, [program, ...args]: readonly [string, ...string[]]): void {
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
