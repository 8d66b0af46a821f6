import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

/** How `setup` asks. A question that is cancelled (Ctrl-C) resolves to undefined. */
export interface SetupPrompts {
  text(question: SetupQuestion & { initialValue?: string }): Promise<string | undefined>;
  /** Like `text`, without showing what is typed. */
  secret(question: SetupQuestion): Promise<string | undefined>;
  confirm(question: { message: string; initialValue: boolean }): Promise<boolean | undefined>;
  /** Shows lines between the questions. */
  tell(title: string, lines: string): void;
}

/** One question. If `validate` says what is wrong with the answer, the question is asked again. */
export interface SetupQuestion {
  message: string;
  validate(answer: string): string | undefined;
}

/**
 * Asks on a terminal. `output` is stderr, because stdout is for the result. The first question loads Clack, because
 * most commands ask nothing. Clack returns a symbol for a cancelled question.
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
      // No box and no bar around it: a long link must stay easy to click and copy.
      streams.output.write(`\n${styleText('bold', title, { stream: streams.output })}\n${lines}\n\n`);
    },
  };
}
