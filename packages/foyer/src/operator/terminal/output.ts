import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { plainJson, plainLines } from './plain-text.ts';

/** How a word is set off where colours can be shown. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** A stream that may be a terminal. */
export type OutputStream = Writable & { isTTY?: boolean };

/** Where a command writes. Its results go to stdout; what it says about them goes to stderr. */
export interface Output {
  readonly isTerminal: boolean;
  /** Lines that a command has put together itself, made safe already by `table` and its like. */
  print(lines: string): void;
  /** A result for programs: the only thing on stdout when `--json` is given. */
  printJson(value: unknown): void;
  /** A remark or a failure, on stderr. Nothing in it can command the terminal. */
  note(lines: string): void;
  /** The text in a style where stdout shows colours (a terminal, and no NO_COLOR), else as it is. */
  style(style: Style, text: string): string;
}

/** Makes the Output of two streams. */
export function createOutput(streams: { stdout: OutputStream; stderr: OutputStream }): Output {
  const { stdout, stderr } = streams;
  return {
    isTerminal: stdout.isTTY === true,
    print(lines) {
      stdout.write(`${lines}\n`);
    },
    printJson(value) {
      stdout.write(`${plainJson(value)}\n`);
    },
    note(lines) {
      stderr.write(`${plainLines(lines)}\n`);
    },
    style: (style, text) => styleText(style, text, { stream: stdout }),
  };
}
