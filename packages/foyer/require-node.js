/**
 * If Node is too old, prints one sentence and exits, before Node itself fails with a stack trace: an old Node rejects
 * the flags of `npm start`, and cannot load TypeScript. This file is JavaScript, and uses nothing that an old Node
 * cannot run.
 */
const needed = [22, 18];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(
    `Foyer needs Node ${needed.join('.')} or newer, but this is ${process.version}. Install a newer version from nodejs.org.`,
  );
  process.exit(1);
}
