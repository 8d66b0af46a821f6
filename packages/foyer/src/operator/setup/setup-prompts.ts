/** How `setup` asks. Each question resolves to undefined when it is cancelled (Ctrl-C): then nothing more is asked. */
export interface SetupPrompts {
  text(question: SetupQuestion & { initialValue?: string }): Promise<string | undefined>;
  /** Like `text`, without showing what is typed. */
  secret(question: SetupQuestion): Promise<string | undefined>;
  confirm(question: { message: string; initialValue: boolean }): Promise<boolean | undefined>;
  /** Shows lines between the questions. */
  tell(title: string, lines: string): void;
}

/** One question; `validate` says what is wrong with an answer, and it is asked again. */
export interface SetupQuestion {
  message: string;
  validate(answer: string): string | undefined;
}
