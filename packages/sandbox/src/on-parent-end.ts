/**
 * Under `npm run`, calls `stop` once the parent process (npm's shell) has ended. Why: npm forwards a SIGTERM to its
 * shell, and the shell `dash` exits without forwarding the signal. Without this, `npm run demo` would leave both
 * servers running.
 */
export function onParentEnd(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 250).unref();
}
