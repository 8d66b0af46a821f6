import type { InputBlock, KnownBlock } from '@slack/types';
import { longestAnswer, type QuestionRecord, questionValue } from '../database/questions.ts';
import { escapeMrkdwn } from '../slack/slack-text.ts';
import type { Words } from '../texts/create-texts.ts';
import { button, mention, plainElement, section } from './blocks.ts';
import { homeActions } from './viewer.ts';

/** The action id of the input for an answer. When a person presses the button, Slack also sends the input's value. */
export const answerInputId = 'foyer.answer.input';

/** Builds a question with its form, for a message and for Home. `intro` must be mrkdwn from Foyer's own texts. */
export function questionBlocks(words: Words, intro: string, asked: QuestionRecord): KnownBlock[] {
  return [
    section(`${intro}\n${escapeMrkdwn(asked.question.text, 2500)}`),
    {
      type: 'input',
      // Each question has its own block id, so that an answer typed for one question does not count for the next.
      block_id: questionValue(asked).slice(0, 255),
      label: plainElement(words.text('home.question.label'), 150),
      element: inputOf(asked),
    },
    {
      type: 'actions',
      elements: [
        button(words.text('home.question.send'), homeActions.answer, {
          value: questionValue(asked),
          style: 'primary',
        }),
      ],
    },
  ];
}

function inputOf({ question: { input } }: QuestionRecord): InputBlock['element'] {
  switch (input.type) {
    case 'choice':
      return {
        type: 'static_select',
        action_id: answerInputId,
        options: input.options.map(({ value, label }) => ({ value, text: plainElement(label, 75) })),
      };
    case 'channel':
      return { type: 'channels_select', action_id: answerInputId };
    case 'text':
      return {
        type: 'plain_text_input',
        action_id: answerInputId,
        multiline: true,
        max_length: longestAnswer,
      };
  }
}

/** Builds the text that replaces a question's form once the question is answered or closed. */
export function closedQuestion(words: Words, asked: QuestionRecord): { text: string; blocks: KnownBlock[] } {
  const text =
    asked.answeredBy === null
      ? words.text('home.question.closed')
      : words.text('home.question.answered', { who: mention(asked.answeredBy), answer: shownAnswer(asked) });
  return { text, blocks: [section(escapeMrkdwn(asked.question.text, 2500)), section(text)] };
}

function shownAnswer({ question: { input }, answer }: QuestionRecord): string {
  if (input.type === 'channel') return `<#${answer}>`;
  const label = input.type === 'choice' && input.options.find(({ value }) => value === answer)?.label;
  return escapeMrkdwn(label || (answer ?? ''), 300);
}
