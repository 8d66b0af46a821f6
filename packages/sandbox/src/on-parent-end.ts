/**
 * Calls `stop` once the process that started this one has ended, if npm did it. Why: npm passes a SIGTERM on to its shell,
 * and `dash` ends without passing it on to what it runs. Without this, `npm run demo` would leave both servers behind.
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
