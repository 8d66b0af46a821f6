import { apiTest, appsUninstall, authRevoke, authTeamsList, authTest } from './auth.ts';
import { chatDelete, chatPostMessage, chatUpdate } from './chat.ts';
import { conversationsHistory, conversationsList, conversationsOpen } from './conversations.ts';
import type { Method } from './method.ts';
import { oauthV2Access } from './oauth-access.ts';
import {
  openidConfiguration,
  openidConnectToken,
  openidConnectUserInfo,
  openidKeys,
} from './openid-connect.ts';
import { teamInfo } from './team.ts';
import { appsUserConnectionUpdate, usersInfo, usersList } from './users.ts';
import { viewsOpen, viewsPublish } from './views.ts';

/** The Web API methods that the sandbox offers. A new method needs an entry here. */
export const methods: Readonly<Record<string, Method>> = {
  'api.test': apiTest,
  'apps.uninstall': appsUninstall,
  'apps.user.connection.update': appsUserConnectionUpdate,
  'auth.revoke': authRevoke,
  'auth.teams.list': authTeamsList,
  'auth.test': authTest,
  'chat.delete': chatDelete,
  'chat.postMessage': chatPostMessage,
  'chat.update': chatUpdate,
  'conversations.history': conversationsHistory,
  'conversations.list': conversationsList,
  'conversations.open': conversationsOpen,
  'oauth.v2.access': oauthV2Access,
  'openid.configuration': openidConfiguration,
  'openid.connect.token': openidConnectToken,
  'openid.connect.userInfo': openidConnectUserInfo,
  'openid.keys': openidKeys,
  'team.info': teamInfo,
  'users.info': usersInfo,
  'users.list': usersList,
  'views.open': viewsOpen,
  'views.publish': viewsPublish,
};
