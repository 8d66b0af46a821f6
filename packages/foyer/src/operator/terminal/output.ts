import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { plainJson, plainLines } from './plain-text.ts';

/** How a word is highlighted if colors can be shown. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** A stream that may be a terminal. */
export type OutputStream = Writable & { isTTY?: boolean; columns?: number };

/** Where a command writes. Results go to stdout; remarks about them go to stderr. */
export interface Output {
  /** The columns of the terminal; infinite for a pipe or a file. */
  readonly width: number;
  /** Prints lines that a command has built, already made safe by `table` and the like. */
  print(lines: string): void;
  /** Prints a result for programs: the only thing on stdout if `--json` is given. */
  printJson(value: unknown): void;
  /** Prints a list of any length as one JSON array, which grows as the pages arrive. */
  printJsonList(pages: AsyncIterable<readonly unknown[]>): Promise<void>;
  /** Resolves to true once stdout can take more, or to false if no one reads it any more, as after `list | head`. */
  ready(): Promise<boolean>;
  /**
   * Prints a remark or a failure to stderr. Control characters in it are replaced, so it cannot command the terminal.
   */
  note(lines: string): void;
  /** Returns the text in a style if stdout shows colors (a terminal, and no NO_COLOR), else unchanged. */
  style(style: Style, text: string): string;
}

/** Creates the Output of two streams. */
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
        // Formats the page as an array, and drops the brackets.
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
