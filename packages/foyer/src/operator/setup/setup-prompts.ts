import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

/** How `setup` asks questions. If the person cancels a question (Ctrl-C), it resolves to undefined. */
export interface SetupPrompts {
  text(question: SetupQuestion & { initialValue?: string }): Promise<string | undefined>;
  /** Like `text`, but does not show what the person types. */
  secret(question: SetupQuestion): Promise<string | undefined>;
  confirm(question: { message: string; initialValue: boolean }): Promise<boolean | undefined>;
  /** Shows lines between the questions. */
  tell(title: string, lines: string): void;
}

/** One question. If `validate` returns what is wrong with the answer, `setup` shows that and asks again. */
export interface SetupQuestion {
  message: string;
  validate(answer: string): string | undefined;
}

/**
 * Asks on a terminal. `output` is stderr, because stdout is for the result. Each question imports Clack only when it is
 * asked, because most commands ask nothing. If a person cancels a question, Clack returns a symbol.
 */
export function createSetupPrompts(streams: { input: Readable; output: Writable }): SetupPrompts {
  const answered = <T extends string | boolean>(answer: T | symbol): T | undefined =>
    typeof answer === 'symbol' ? undefined : answer;
  return {
    async text({ message, initialValue, validate }) {
      const { text } = await import('@clack/prompts');
      return answered<string>(
        await text({ message, initialValue, ...streams, validate: (value) => validate(value ?? '') }),
      );
    },
    async secret({ message, validate }) {
      const { password } = await import('@clack/prompts');
      return answered<string>(
        await password({ message, ...streams, validate: (value) => validate(value ?? '') }),
      );
    },
    async confirm({ message, initialValue }) {
      const { confirm } = await import('@clack/prompts');
      return answered<boolean>(await confirm({ message, initialValue, ...streams }));
    },
    tell(title, lines) {
      // Draws no box or bar around the lines: a long link must stay easy to click and copy.
      streams.output.write(`\n${styleText('bold', title, { stream: streams.output })}\n${lines}\n\n`);
    },
  };
}
