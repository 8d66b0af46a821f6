import { cutToWidth } from './display-width.ts';
import type { OutputStream } from './output.ts';
import { plainText } from './plain-text.ts';

/** Shows the progress of long work on one line that it overwrites; null clears the line. */
export type ProgressLine = (text: string | null) => void;

/** Makes the line on a terminal; elsewhere nothing is shown. */
export function createProgressLine(stderr: OutputStream): ProgressLine {
  if (!stderr.isTTY) return () => {};
  return (text) => void stderr.write(`\r\u001b[2K${text === null ? '' : cutToWidth(plainText(text), 78)}`);
}
