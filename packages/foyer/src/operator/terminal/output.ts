import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { plainJson, plainLines } from './plain-text.ts';

/** How to highlight a word if the output shows colors. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** A stream that may be a terminal. */
export type OutputStream = Writable & { isTTY?: boolean; columns?: number };

/** Where a command writes. Results go to stdout; remarks about them go to stderr. */
export interface Output {
  /** The number of columns of the terminal; infinite for a pipe or a file. */
  readonly width: number;
  /** Prints lines that a command has built. They must already be safe for a terminal, as the lines of `table` are. */
  print(lines: string): void;
  /** Prints a result for programs. With `--json`, a command prints nothing else to stdout. */
  printJson(value: unknown): void;
  /** Prints a list of any length as one JSON array, page by page as the pages arrive. */
  printJsonList(pages: AsyncIterable<readonly unknown[]>): Promise<void>;
  /** Resolves to true once stdout can accept more data, or to false if its reader has gone, as after `list | head`. */
  ready(): Promise<boolean>;
  /**
   * Prints a remark or a failure to stderr. Replaces control characters, so that the text cannot control the terminal.
   */
  note(lines: string): void;
  /**
   * Returns the text in a style if stdout shows colors (it is a terminal, and NO_COLOR is not set); else returns it
   * unchanged.
   */
  style(style: Style, text: string): string;
}

/** Creates an Output that writes to these two streams. */
export function createOutput(streams: { stdout: OutputStream; stderr: OutputStream }): Output {
  const { stdout, stderr } = streams;
  async function ready(): Promise<boolean> {
    if (stdout.writableNeedDrain && !stdout.destroyed) {
      const events = ['drain', 'close', 'error'];
      await new Promise<void>((resolve) => {
        const done = (): void => {
          for (const event of events) stdout.off(event, done);
          resolve();
        };
        for (const event of events) stdout.on(event, done);
      });
    }
    return !stdout.destroyed && !stdout.errored;
  }
  return {
    width: stdout.isTTY && stdout.columns ? stdout.columns : Number.POSITIVE_INFINITY,
    print(lines) {
      stdout.write(`${lines}\n`);
    },
    printJson(value) {
      stdout.write(`${plainJson(value)}\n`);
    },
    async printJsonList(pages) {
      let hasSome = false;
      for await (const page of pages) {
        if (page.length === 0) continue;
        // Formats the page as an array, and removes the brackets.
        stdout.write(`${hasSome ? ',' : '['}\n${plainJson(page).slice(2, -2)}`);
        hasSome = true;
        if (!(await ready())) return;
      }
      stdout.write(hasSome ? '\n]\n' : '[]\n');
    },
    ready,
    note(lines) {
      stderr.write(`${plainLines(lines)}\n`);
    },
    style: (style, text) => styleText(style, text, { stream: stdout }),
  };
}
