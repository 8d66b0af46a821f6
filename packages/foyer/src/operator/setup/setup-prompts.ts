/** How `setup` asks. A question that is cancelled (Ctrl-C) resolves to undefined, and no other follows. */
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
