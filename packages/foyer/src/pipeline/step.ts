import type { KnownBlock } from '@slack/types';
import type { WebClient } from '@slack/web-api';
import type { Transaction } from 'kysely';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/log.ts';
import type { ClaimUrl } from '../connections/create-connections.ts';
import type { Database, Tx } from '../database/database.ts';
import type { StepRecord } from '../database/install-record.ts';
import type { Question } from '../database/questions.ts';
import type { Moment, Pipeline } from '../database/records.ts';
import type { PublishHome } from '../home/publish-home.ts';
import type { Brand } from '../http/brand.ts';
import type { Texts } from '../texts/create-texts.ts';
import type { StepTitle } from '../texts/languages/en.ts';

/**
 * The pipeline's interface: what a step is, what it receives and how it ends.
 *
 * To add a built-in step, write `steps/<name>.ts` that exports one Step with a `run(context)`, and list it in
 * `steps/steps.ts`. A step may run more than once (after a crash, or on a retry), so its docstring says why that is
 * safe. A step that only writes to our database has a `write(transaction, facts)` instead, and costs no extra commit.
 */

/**
 * What a step may return as its output. Declare an output's type with `type`: an `interface` is not assignable to
 * `Json`.
 */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One named part of a run. */
export type Step<Output extends Json = Json> = ActingStep<Output> | RecordingStep<Output>;

interface StepTraits {
  /** Lower-case words with hyphens. Never change it: Foyer stores it, and the command line shows it. */
  readonly name: string;
  readonly title: StepTitle;
  /** Whether the step is only for operators: installers and members do not see it, and its retries come last. */
  readonly forOperators?: boolean;
  /** Whether Foyer skips the later steps if this one fails; false by default. */
  readonly required?: boolean;
  /**
   * The number of failed attempts after which the step fails; 8 by default. With 8, a step gives up after about half a
   * minute; with 15, after about a quarter of an hour (docs/pipelines.md). Rate limits and waiting do not count.
   */
  readonly maxAttempts?: number;
  /** Optional. Called first; returns `skip(…)` if the facts show that there is nothing to do. No I/O. */
  unneeded?(facts: StepFacts): Skip | undefined;
}

/** A step that calls Slack or another service. Foyer commits the start of an attempt, runs it, and commits its end. */
export interface ActingStep<Output extends Json = Json> extends StepTraits {
  /** How long one attempt may take; 30,000 by default. An attempt that ignores its signal is abandoned. */
  readonly timeLimitMs?: number;
  /**
   * Returns an output, an output with a write (`withWrite(…)`), or a `StepEnd`, such as `skip(…)`. Foyer stores the
   * output, so the output must not contain a secret. If `run` throws because of a rate limit, Foyer waits. If Slack is
   * unreachable, or the error is unknown or a `StepError` that is not final, Foyer retries the step. After a refusal, a
   * dead token or a final `StepError`, Foyer fails the step.
   */
  run(context: StepContext): Promise<Output | Written<Output> | StepEnd>;
  readonly write?: undefined;
}

/**
 * A step that only writes to the database: its attempt, its writes and its end are one commit, shared with the steps
 * next to it. Each statement has its own time limit, so the step has no time limit.
 */
export interface RecordingStep<Output extends Json = Json> extends StepTraits {
  /**
   * Returns the output. Must do nothing but queries, all on `transaction`. Foyer may call this function more than once.
   * If the function throws, its writes are undone, and the error is judged like that of any other step.
   */
  write(transaction: Tx, facts: StepFacts): Promise<Output>;
  readonly run?: undefined;
}

/** What is known about a run when a step starts. */
export interface StepFacts {
  readonly runId: string;
  /** Which list of steps this run executes. */
  readonly pipeline: Pipeline;
  /**
   * What an `upgraded`, `opened` or `workspaceGranted` run is about; absent in an install or uninstall run.
   * @example if (moment?.kind === 'upgraded') log.info({ scopes: moment.addedScopes }, 'granted');
   */
  readonly moment?: Moment;
  /** When the run was created: the time of the install, the uninstall or the moment. */
  readonly runCreatedAt: number;
  readonly installationId: string;
  /**
   * The number of the life that the run belongs to. The installation's first install begins life 1, and each install
   * after an uninstall begins the next life. An install over an existing one does not change the number.
   */
  readonly life: number;
  readonly clientId: string;
  /** Null for an org-wide install. */
  readonly teamId: string | null;
  readonly teamName: string | null;
  readonly enterpriseId: string | null;
  readonly enterpriseName: string | null;
  readonly isEnterpriseInstall: boolean;
  /**
   * The workspaces where the app may act: one, or for an org-wide install every workspace that has granted the app
   * access.
   */
  readonly workspaceIds: readonly string[];
  /**
   * The workspace to pass to Slack as `team_id`. In a `workspaceGranted` run, it is the workspace that granted access.
   * In any other run, it is the only one of `workspaceIds`; null if there are none or several.
   */
  readonly workspaceId: string | null;
  /** The person whose run this is: in an `opened` run, the member; in any other run, the installer. */
  readonly userId: string;
  readonly appId: string | null;
  readonly botUserId: string | null;
  /** The scopes granted to the bot; null if the install has no bot. */
  readonly botScopes: readonly string[] | null;
  /**
   * The host's account that the installation is connected to: the host's ids of the account, and the data of the link
   * that connected it. Null if the installation is not connected. Also null in an uninstall run once a new install has
   * connected the workspace to another account.
   */
  readonly connection: { readonly org: string; readonly subject: string | null; readonly data: Json } | null;
  /** 1 for the first attempt of this step in this run. */
  readonly attempt: number;
  /** The newest answer to a question of this step, if any: a choice's value, a channel's id or a text. */
  readonly answer?: string;
  /** Every answer to this step's questions, by the question's id. */
  readonly answers: Readonly<Record<string, string>>;
  /** The steps before this one, in their current state. */
  readonly earlierSteps: readonly StepRecord[];
  readonly services: Pick<StepServices, 'config'>;
  now(): number;
  /**
   * Returns the output of an earlier step; null if that step has not succeeded. An uninstall run and a moment's run,
   * such as an `opened` run, can also read the outputs of the newest install run.
   */
  output<Output extends Json>(step: Step<Output>): Output | null;
}

/** A message that a step posts once. */
export interface OnceMessage {
  /** A channel's id, or a user's id for a DM. If absent, the message goes to the person whose run this is. */
  readonly channel?: string;
  /** Shown in notifications, and as the message itself if there are no blocks. */
  readonly text: string;
  readonly blocks?: readonly KnownBlock[];
}

/** Where a message is. */
export type PostedMessage = { channelId: string; messageTs: string };

/**
 * Any tables: Foyer does not know the app's tables. To check table and column names, annotate `tx` with your own type.
 */
type AnyTables = Record<string, Record<string, unknown>>;

/** What Foyer passes to a step's `run`. */
export interface StepContext extends StepFacts {
  /** Aborts when the time limit is reached, the run is cancelled, this worker loses its lease, or the process stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly services: StepServices;
  /**
   * Commits your own rows together with the end of this attempt: all or nothing. `work` must do nothing but queries;
   * Foyer may call `work` more than once. If the step throws, `work` never runs.
   * @example write((tx) => tx.insertInto('orders').values(order).execute())
   */
  write<MyTables = AnyTables>(work: (tx: Transaction<MyTables>) => Promise<unknown>): void;
  /**
   * Posts a message exactly once per key between install and uninstall, across crashes and retries. Resolves to the
   * message's channel and timestamp. Each `opened` run (or other moment's run) has its own keys: for example, a
   * greeting with the same key can go to each member. Do not catch the errors of `postOnce`: they end the attempt. If
   * the outcome of a send is unknown, Foyer looks for the message in the channel's history, which needs the history
   * scope for that kind of channel.
   * @example await context.postOnce('tips', { channel: 'C123', text: 'Three things to try' })
   */
  postOnce(key: string, message: OnceMessage): Promise<PostedMessage>;
  /**
   * Returns a client with the bot's current token; the step's signal aborts its calls. Without `limits`, every call of
   * an attempt returns the same client.
   * @throws StepError in an uninstall run: the token is gone
   */
  slack(limits?: { timeoutMs?: number }): Promise<WebClient>;
}

/** What steps use in addition to Slack. If a built-in step needs more, add it here and in `assemble-foyer.ts`. */
export interface StepServices {
  readonly database: Database;
  readonly config: Pick<Config, 'app' | 'slack' | 'supportUrl' | 'privacyUrl' | 'notify'>;
  readonly publishHome: PublishHome;
  /** Makes the URL where a person claims an unconnected workspace; absent if claiming is off. */
  readonly claimUrl?: ClaimUrl;
  readonly brand: Brand;
  readonly texts: Texts;
}

/** The events a step can wait for. */
export type WaitEvent = 'team_access_granted';

/** A step throws this to name its failure and to say whether to retry. Errors of Slack's client need no wrapping. */
export class StepError extends Error {
  override readonly name = 'StepError';
  /** The name of the failure, as shown to people. */
  readonly code: string;
  /** Whether retrying is pointless. */
  readonly final: boolean;
  constructor(code: string, message: string, options: ErrorOptions & { final: boolean }) {
    super(message, options);
    this.code = code;
    this.final = options.final;
  }
}

const ended = Symbol('how a step ended');

/** How a step ended, if not with an output. Made by `skip`, `unconfirmed`, `waitFor`, `ask` and `retryIn`. */
export type StepEnd = { readonly [ended]: true } & (
  | { readonly kind: 'skipped'; readonly code: string; readonly message: string }
  | { readonly kind: 'unconfirmed'; readonly code: string; readonly message: string }
  | { readonly kind: 'wait-for'; readonly event: WaitEvent }
  /** `reminds`: whether this attempt posted the reminder. */
  | { readonly kind: 'ask'; readonly question: Question; readonly reminds: boolean }
  | { readonly kind: 'wait'; readonly delayMs: number; readonly why?: WaitCause }
);

/** The end of a step that has nothing to do. */
export type Skip = Extract<StepEnd, { kind: 'skipped' }>;

/** Throws if a step's end is invalid. Without this check, the step would fail only when Foyer stores the end. */
function assertEnd(isRight: boolean, fix: string): void {
  const message = `The step returned an invalid result: ${fix}`;
  if (!isRight) throw new StepError('invalid_end', message, { final: true });
}

function assertWords(call: string, code: unknown, message: unknown): void {
  const areTexts = typeof code === 'string' && code.trim() !== '' && typeof message === 'string';
  assertEnd(areTexts, `in ${call}, code and message must be strings, and code must not be empty`);
}

/** Ends the step as skipped. `code` names the reason; `message` is one sentence for people. @throws StepError */
export function skip(code: string, message: string): Skip {
  assertWords('skip(code, message)', code, message);
  return { [ended]: true, kind: 'skipped', code, message };
}

/**
 * Ends a step as unconfirmed: it may have taken effect, but nothing can prove it. Foyer never retries it automatically.
 * @throws StepError
 */
export function unconfirmed(code: string, message: string): StepEnd {
  assertWords('unconfirmed(code, message)', code, message);
  return { [ended]: true, kind: 'unconfirmed', code, message };
}

/** Makes the run wait for the event, and then start this step again. @throws StepError for any other event */
export function waitFor(event: WaitEvent): StepEnd {
  assertEnd(event === 'team_access_granted', "waitFor accepts only 'team_access_granted'");
  return { [ended]: true, kind: 'wait-for', event };
}

/**
 * Asks the person whose run this is, in their DM and in Home. This person, the installer and admins may answer. The run
 * waits for the answer, which may take seconds or days; then this step runs again with `context.answer`. If the
 * question does not expire within a day, Foyer posts a reminder after a day. If the question expires unanswered, Foyer
 * skips this step.
 * @throws StepError if the question is not valid, or too long for Slack
 * @example
 * if (context.answer === undefined) {
 *   return ask({ id: 'channel', text: 'Where shall I post the report?', input: { type: 'channel' } });
 * }
 * await context.postOnce('report', { channel: context.answer, text: 'Reports come here.' });
 */
export function ask(question: Question): StepEnd {
  const problem = questionProblem(question);
  if (problem)
    throw new StepError('invalid_question', `The question cannot be asked: ${problem}`, { final: true });
  return askAgain(question, false);
}

/** Waits again for the answer to a question that was asked before. */
export function askAgain(question: Question, reminds: boolean): StepEnd {
  return { [ended]: true, kind: 'ask', question, reminds };
}

/** Slack's limits for a select: how many options, and how long each value and label may be. */
const mostOptions = 100;
const longestValue = 150;
const longestLabel = 75;

function questionProblem(question: Question): string | undefined {
  const { id, text, input, timeLimitMs }: Question = Object(question);
  const isText = (value: unknown, most: number): boolean =>
    typeof value === 'string' && value.trim() !== '' && value.length <= most;
  if (typeof id !== 'string' || !/^[\w.-]{1,60}$/.test(id))
    return 'its id needs 1 to 60 letters, digits, dots, hyphens or underscores';
  if (!isText(text, 1500)) return 'its text needs 1 to 1,500 characters';
  if (timeLimitMs !== undefined && !(Number.isSafeInteger(timeLimitMs) && timeLimitMs > 0)) {
    return 'its `timeLimitMs` needs a whole number of milliseconds, 1 or more';
  }
  if (input?.type === 'channel' || input?.type === 'text') return undefined;
  if (input?.type !== 'choice') return "its input needs the type 'choice', 'channel' or 'text'";
  const { options } = input;
  if (!Array.isArray(options) || options.length === 0 || options.length > mostOptions) {
    return `a choice needs 1 to ${mostOptions} options`;
  }
  if (!options.every((option) => isText(option?.value, longestValue) && isText(option.label, longestLabel))) {
    return `an option needs a value of at most ${longestValue} characters and a label of at most ${longestLabel}`;
  }
  if (options.some(({ value }) => value !== value.trim()))
    return 'an option’s value must not begin or end with a space';
  const isUnique = new Set(options.map(({ value }) => value)).size === options.length;
  return isUnique ? undefined : 'two options have the same value';
}

/** Why a step waits: a code such as `rate_limited`, and one sentence for people. */
interface WaitCause {
  readonly code: string;
  readonly message: string;
}

/** The shortest wait: a step that always retried immediately would keep the worker and the database busy. */
const shortestRestMs = 1000;
const longestRestMs = 366 * 24 * 60 * 60 * 1000;

/**
 * Makes the run wait for `delayMs`, and then start this step again. This does not count as a failure. The wait is at
 * least a second, even if `delayMs` is less or negative. @throws StepError for more than 366 days
 */
export function retryIn(delayMs: number, why?: WaitCause): StepEnd {
  const isTime = typeof delayMs === 'number' && delayMs <= longestRestMs;
  assertEnd(isTime, 'in retryIn(delayMs), delayMs must be a number of milliseconds, at most 366 days');
  if (why) assertWords('retryIn(delayMs, { code, message })', why.code, why.message);
  const restMs = Math.ceil(Math.max(delayMs, shortestRestMs));
  return { [ended]: true, kind: 'wait', delayMs: restMs, ...(why && { why }) };
}

/** The defaults of a step: how long an attempt may take, and how many failed attempts make the step fail. */
export const defaultTimeLimitMs = 30_000;
export const defaultMaxAttempts = 8;

/** Whether a step returned a `StepEnd` (from `skip`, for example) instead of an output. */
export function isStepEnd(result: Json | StepEnd): result is StepEnd {
  return typeof result === 'object' && result !== null && ended in result;
}

/**
 * A step's own writes, in the transaction that stores its output. The function must do nothing but queries on
 * `transaction`; Foyer may call it more than once.
 */
export type StepWrite = (transaction: Tx) => Promise<unknown>;

/** An output, and the write that records what the step learned. Made by `withWrite`. */
export type Written<Output extends Json> = {
  readonly [ended]: true;
  readonly kind: 'written';
  readonly output: Output;
  readonly write: StepWrite;
};

/**
 * Ends a step with an output. In the same commit, `write` stores what the step learned: no second commit is needed, and
 * no crash can separate the output from the write. `write` also runs if the run was cancelled in the meantime, or now
 * belongs to another worker.
 */
export function withWrite<Output extends Json>(output: Output, write: StepWrite): Written<Output> {
  return { [ended]: true, kind: 'written', output, write };
}

/** Whether a step's result comes from `withWrite`. */
export function isWritten(result: Json | Written<Json> | StepEnd): result is Written<Json> {
  return typeof result === 'object' && result !== null && ended in result && result.kind === 'written';
}
