import { cutToWidth } from './display-width.ts';
import type { OutputStream } from './output.ts';
import { plainText } from './plain-text.ts';

/** Shows how far long work is, on one line that is written over; null takes it away. */
export type ProgressLine = (text: string | null) => void;

/** Makes the line on a terminal; elsewhere nothing is shown. */
export function createProgressLine(stderr: OutputStream): ProgressLine {
  if (!stderr.isTTY) return () => {};
  return (text) => void stderr.write(`\r\u001b[2K${text === null ? '' : cutToWidth(plainText(text), 78)}`);
}
