/**
 * Ends with one sentence on a Node that is too old, before Node itself fails with a stack: an old one refuses the flags
 * of `npm start`, and cannot load TypeScript. In JavaScript, and with nothing in it that such a Node cannot run.
 */
const needed = [22, 18];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(
    `Foyer needs Node ${needed.join('.')} or newer, and this is ${process.version}. Install a newer one from nodejs.org.`,
  );
  process.exit(1);
}
