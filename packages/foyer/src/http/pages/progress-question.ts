import type { QuestionInput } from '../../database/questions.ts';
import { longestAnswer } from '../../database/questions.ts';
import { type Html, html } from '../html.ts';
import type { PageFrame } from './site.ts';

/** A question as the progress page shows it. */
export interface ShownQuestion {
  text: string;
  input: QuestionInput;
  /** Undefined if this reader cannot answer on the page. */
  form?: { action: string; ticket: string };
}

/**
 * The values of `?answer=` in the page's address. For each, the page shows a notice that says why an answer did not
 * count.
 */
export const answerNotices = ['answered-before', 'closed', 'invalid'] as const;
export type AnswerNotice = (typeof answerNotices)[number];

const noticeTexts = {
  'answered-before': 'progress.question.answered',
  closed: 'home.question.closed',
  invalid: 'progress.question.invalid',
} as const;

/** The most choices that the page shows as radio buttons. If there are more, it shows a drop-down list. */
const mostButtons = 8;

function field({ words }: PageFrame, input: QuestionInput): Html {
  const label = words.text('home.question.label');
  if (input.type !== 'choice') {
    return html`<label for="answer">${label}</label>
    <textarea id="answer" name="answer" rows="4" maxlength="${longestAnswer}" required></textarea>`;
  }
  const { options } = input;
  if (options.length > mostButtons) {
    return html`<label for="answer">${label}</label>
    <select id="answer" name="answer" required><option value="">–</option>${options.map(
      (option) => html`<option value="${option.value}">${option.label}</option>`,
    )}</select>`;
  }
  return html`<fieldset><legend>${label}</legend>${options.map(
    (option) =>
      html`<label class="option"><input type="radio" name="answer" value="${option.value}" required> <span>${option.label}</span></label>`,
  )}</fieldset>`;
}

/**
 * Builds the notice about an earlier answer, then the open question, with a form if this reader may answer on the page.
 */
export function questionSection(
  frame: PageFrame,
  { question, notice }: { question?: ShownQuestion; notice?: AnswerNotice },
): Html {
  const { words, site } = frame;
  // The notice about an invalid answer appears only above the form, where the reader can correct the answer.
  const said = notice !== undefined && (notice !== 'invalid' || question?.form !== undefined);
  const notes = said && html`<p class="notice" role="alert">${words.text(noticeTexts[notice])}</p>`;
  if (!question) return html`${notes}`;
  const { text, input, form } = question;
  const inSlack =
    input.type === 'channel'
      ? words.text('progress.question.channel')
      : words.text('progress.question.elsewhere', { app: site.brand.name });
  return html`${notes}<section class="question card" aria-labelledby="question">
  <h2 id="question">${text}</h2>
  ${
    form
      ? html`<form method="post" action="${form.action}">
    <input type="hidden" name="ticket" value="${form.ticket}">
    ${field(frame, input)}
    <button class="button">${words.text('home.question.send')}</button>
  </form>`
      : html`<p>${inSlack}</p>`
  }
</section>`;
}
