import type {
  ApprovalRequest,
  AuthorizationCode,
  Conversation,
  Enterprise,
  IncomingWebhook,
  Installation,
  Person,
  ResponseUrl,
  SignInCode,
  SignInToken,
  Token,
  Trigger,
  View,
  Workspace,
} from './records.ts';

/** All records of the sandbox, in memory. Callers change the records in place. */
export type World = {
  enterprises: Map<string, Enterprise>;
  workspaces: Map<string, Workspace>;
  people: Map<string, Person>;
  conversations: Map<string, Conversation>;
  installations: Map<string, Installation>;
  /** By token value. */
  tokens: Map<string, Token>;
  codes: Map<string, AuthorizationCode>;
  /** By code. */
  signInCodes: Map<string, SignInCode>;
  /** By token value; revoking a token removes it. */
  signInTokens: Map<string, SignInToken>;
  /** Published Home views by `installation id:user id`. */
  homeViews: Map<string, View>;
  /** The modal a person has open, by user id. */
  modals: Map<string, View>;
  triggers: Map<string, Trigger>;
  responseUrls: Map<string, ResponseUrl>;
  webhooks: Map<string, IncomingWebhook>;
  approvalRequests: ApprovalRequest[];
  /**
   * The ids of the app's bot in each workspace or org. As on Slack, an app that is uninstalled and installed again gets
   * the same bot.
   */
  botIdentities: Map<string, { botUserId: string; botId: string }>;
  /** Restores the sandbox's own workspaces and people, with nothing installed. */
  reset(): void;
};
