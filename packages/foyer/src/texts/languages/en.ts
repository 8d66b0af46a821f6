import type { KnownScope, KnownUserScope } from '../../slack/scope-sentences.ts';

/**
 * Every sentence that installers and members read, in English: ICU messages
 * (formatjs.github.io/docs/core-concepts/icu-syntax). Messages whose names begin with `home` or `welcome` may contain
 * Slack's mrkdwn; all others are plain text. TypeScript reads the names of the placeholders from these messages. This
 * works only if each branch of a plural or select is empty or has more than one word.
 */
export const en = {
  'page.privacy': 'Privacy',
  'page.support': 'Support',
  'page.reference': 'Reference',
  'page.yourWorkspace': 'your workspace',
  'landing.title': 'Add {app} to Slack',
  'landing.madeBy': 'Made by {publisher}',
  'landing.button': 'Add to Slack',
  'landing.next': 'What happens next',
  'landing.next.consent': 'Slack asks which workspace to use and whether you agree.',
  'landing.next.setup': 'You come back here and see the setup finish. It takes a few seconds.',
  'landing.next.welcome': '{app} sends one welcome message, to you only.',
  'landing.permissions': 'What {app} may do',
  'landing.permissions.user': 'What it may do on your behalf',
  'landing.permissions.none': '{app} asks for no permissions.',
  'landing.optional': 'Optional',
  'landing.reason': 'Why: {reason}',
  'landing.unknownScope': 'A permission that we have no description for',
  'landing.enforced': 'Slack enforces this list and shows it to you again before you agree.',
  'landing.approval': 'If an admin must approve apps in your workspace, send them this link:',
  'landing.questions': 'Questions? Contact {publisher}',
  'progress.connecting.title': 'Connecting to Slack',
  'progress.connecting.message':
    'Slack has sent you back to us, and we are asking it for access. This takes a moment.',
  'progress.notInstalled.title': '{app} was not installed',
  'progress.notInstalled.message':
    'Something went wrong before the install could be saved. Nothing was set up. Please try again.',
  'progress.busy.title': 'Setting up {app}',
  'progress.busy.message': '{app} is installed in {place}. The last steps take a few seconds.',
  'progress.retrying.title': 'Still setting up {app}',
  'progress.retrying.message':
    '{app} is installed in {place}. One step has not worked yet and will be tried again automatically.',
  'progress.waiting.title': 'One thing left to do in Slack',
  'progress.waiting.grant':
    '{app} is installed for {place}, but no workspace has it yet. An org admin must add it to one: in Slack’s admin pages, open Integrations, Installed apps, {app}, then Add to more workspaces. Setup then continues automatically.',
  'progress.waiting.other': '{app} is installed in {place}. Setup continues as soon as Slack allows it.',
  'progress.question.title': '{app} has a question for you',
  'progress.question.message':
    '{app} is installed in {place} and has sent you a question in Slack. Setup continues when you answer.',
  'progress.question.here':
    '{app} is installed in {place}. Setup continues when you answer, here or in Slack.',
  'progress.question.channel': 'Answer it in Slack: a channel can only be chosen there.',
  'progress.question.elsewhere':
    'Answer it in Slack. On the web, only the browser that installed {app} can answer.',
  'progress.question.answered': 'This question was already answered. The first answer counts.',
  'progress.question.invalid': 'This answer cannot be used. Choose or write an answer, and send it again.',
  'progress.done.title': 'You’re all set',
  'progress.done.message': '{app} is ready in {place}.',
  'progress.done.welcomed': 'A welcome message is waiting for you there.',
  'progress.done.unconfirmed': 'We could not confirm that your welcome message arrived.',
  'progress.failed.title': '{app} is installed, but setup is not complete',
  'progress.failed.message':
    '{count, plural, one {One step} other {# steps}} of the setup did not work. {app} is in {place}. Open its Home tab in Slack: it shows what happened and lets you try again.',
  'progress.cancelled.title': 'This setup was stopped',
  'progress.cancelled.uninstall':
    '{app} was removed from {place} before its setup finished. It no longer has access.',
  'progress.cancelled.unknown':
    'The setup of {app} in {place} was stopped before it finished, for example because the access of {app} was revoked. To finish it, install {app} again.',
  'progress.removed.title': '{app} was removed',
  'progress.removed.message':
    '{app} was removed from {place} after it was installed. It no longer has access.',
  'progress.replaced.title': 'A newer install took over',
  'progress.replaced.message': '{app} was installed in {place} again. That install finishes the setup.',
  'progress.mayClose': 'You can close this page. Setup continues in the background.',
  'progress.offline':
    'This page cannot reach us right now, and updates automatically once it can. If our server is down, setup continues when it is back.',
  'progress.steps': 'Setup steps',
  'progress.steps.done': 'Setup complete',
  'progress.steps.details': 'Setup details',
  'progress.next': 'What to do next',
  'progress.open': 'Open in Slack',
  'progress.openDesktop': 'Open the Slack app',
  'progress.startAgain': 'Start again',
  'step.status.pending': 'To do',
  'step.status.running': 'Working',
  'step.status.retrying': 'Trying again',
  'step.status.succeeded': 'Done',
  'step.status.failed': 'Failed',
  'step.status.skipped': 'Skipped',
  'step.status.unconfirmed': 'Not confirmed',
  'step.status.waiting': 'Waiting',
  'step.status.stopped': 'Stopped',
  'step.note.attempt': 'Attempt {count, number}.',
  'step.note.retrying': 'It will be tried again automatically.',
  'step.note.unconfirmed': 'It may have worked, but we could not confirm it.',
  'step.note.welcome':
    'The welcome may have arrived. Look for {app} in Slack. Its Home tab can send the welcome again.',
  'step.note.skipped': 'Not needed this time.',
  'error.missing_scope': 'Slack says that a permission is missing.',
  'error.rate_limited': 'Slack asked us to wait.',
  'error.timeout': 'Slack did not answer in time.',
  'error.connection_failed': 'Slack could not be reached.',
  'error.malformed_answer': 'Slack’s answer could not be read.',
  'error.token': 'Slack no longer accepts the app’s token.',
  'error.user_not_found': 'Slack does not know this person.',
  'error.messages_tab_disabled': 'The app’s Messages tab is turned off.',
  'error.not_enabled': 'The app’s Home tab is turned off.',
  'error.slack': 'Slack had a problem.',
  'error.unknown': 'It did not work. The people who run {app} can look up why.',
  'failure.nothing': 'Nothing was installed',
  'failure.nothingYet': 'Nothing was installed yet',
  'failure.notFinished': 'The install did not finish',
  'failure.noChange': 'Nothing changed this time',
  'failure.mayFinish': 'The install may still finish',
  'failure.mayBeUnfinished': 'The install may not have finished',
  'failure.tokens.doubt': 'If Slack added {app} anyway, installing it again fixes this.',
  'failure.tokens.revoked': 'Slack had already granted access to your workspace. We revoked it immediately.',
  'failure.tokens.kept':
    'Slack had already granted access to your workspace, and we could not revoke it yet. Installing again fixes this. So does removing {app} on Slack’s Manage apps page.',
  'failure.help': 'Still stuck? {contact} and include the reference below.',
  'failure.contact': 'Contact support',
  'failure.helpUnlinked': 'Still stuck? Ask the people who run {app}, and include the reference below.',
  'failure.helpPlain': 'Still stuck? {contact}.',
  'failure.helpPlainUnlinked': 'Still stuck? Ask the people who run {app}.',
  'failure.question': 'Do you have a question first? {contact}.',
  'failure.questionUnlinked': 'Do you have a question first? Ask the people who run {app}.',
  'failure.startAgain': 'Start again',
  'failure.tryAgain': 'Try again',
  'failure.startPage': 'Go to the start page',
  'failure.continue': 'Continue to Slack',
  'failure.access_denied.title': 'You canceled, and that’s fine',
  'failure.access_denied.what': 'You said no on Slack’s page, so nothing has changed in your workspace.',
  'failure.access_denied.do':
    'If you changed your mind, start again. If an admin must approve apps in your workspace, Slack’s page lets you send a request.',
  'failure.state_missing.title': 'One more step to finish safely',
  'failure.state_missing.what':
    'You came straight from Slack’s own pages. {app} only accepts installs that start here, so that no one can connect a workspace on your behalf.',
  'failure.state_missing.do': 'Continue, and Slack will ask you to confirm once more.',
  'failure.state_invalid.title': 'This link is broken',
  'failure.state_invalid.what':
    'The link that brought you back from Slack was incomplete or had been changed, so we did not trust it.',
  'failure.state_invalid.do': 'Start again to get a new link.',
  'failure.state_wrong_browser.title': 'Please finish in the browser you started in',
  'failure.state_wrong_browser.what':
    'This install was not started in this browser, or this browser blocks our cookie.',
  'failure.state_wrong_browser.do': 'If you block cookies, allow them for this site. Then start again here.',
  'failure.state_expired.title': 'Your ten minutes are up',
  'failure.state_expired.what':
    'To keep your workspace safe, an install must finish within ten minutes of its start.',
  'failure.state_expired.do': 'Start again to get another ten minutes.',
  'failure.state_used.title': 'This link was already used',
  'failure.state_used.what':
    'Each install link works once. If you finished the install the first time, you will find {app} in Slack and there is nothing left to do.',
  'failure.state_used.do': 'If not, start again.',
  'failure.code_missing.title': 'Slack sent you back too early',
  'failure.code_missing.what':
    'You came back from Slack without its approval, so there was nothing to finish.',
  'failure.code_missing.do': 'Start again, and press Allow on Slack’s page.',
  'failure.code_invalid.title': 'Slack no longer accepts this approval',
  'failure.code_invalid.what':
    'An approval works once and only for a few minutes. This one was already used or had expired.',
  'failure.code_invalid.do': 'Start again to get a new approval.',
  'failure.app_misconfigured.title': 'This app is not set up correctly',
  'failure.app_misconfigured.what':
    'Slack does not accept the settings that {app} runs with. You did nothing wrong.',
  'failure.app_misconfigured.do':
    'The people who run {app} must fix this. Until then, trying again does not help.',
  'failure.scope_invalid.title': 'This app asks for something Slack does not allow',
  'failure.scope_invalid.what':
    'Slack refuses one of the permissions that {app} asks for. You did nothing wrong.',
  'failure.scope_invalid.do':
    'The people who run {app} must fix this. Until then, trying again does not help.',
  'failure.slack_unreachable.title': 'We could not reach Slack',
  'failure.slack_unreachable.what':
    'Slack sent no answer, or none that we could use. This usually passes within minutes.',
  'failure.slack_unreachable.do': 'Try again in a few minutes.',
  'failure.slack_refused.title': 'Slack said no',
  'failure.slack_refused.what':
    'Slack refused this install. An admin of your workspace may have restricted which apps can be added.',
  'failure.slack_refused.do': 'Ask an admin of your workspace whether apps are restricted, then try again.',
  'failure.unapproved_scope.title': 'Your organization has not approved this app yet',
  'failure.unapproved_scope.what':
    'An admin of your organization must approve what {app} may do before anyone can install it.',
  'failure.unapproved_scope.do': 'Ask an admin of your organization to approve {app}, then start again.',
  'failure.app_not_distributed.title': 'This app cannot be installed in your workspace yet',
  'failure.app_not_distributed.what':
    '{app} is not open to other workspaces: its public distribution is turned off at Slack.',
  'failure.app_not_distributed.do':
    'The people who run {app} can turn it on. Until then, trying again does not help.',
  'failure.slack_trouble.title': 'Slack has a problem right now',
  'failure.slack_trouble.what': 'Slack could not finish your request. This usually passes within minutes.',
  'failure.slack_trouble.do': 'Try again in a few minutes.',
  'failure.database_unavailable.title': 'We could not save your install',
  'failure.database_unavailable.what':
    'Our database is not available right now, so we stopped rather than leave things half done.',
  'failure.database_unavailable.do': 'Try again in a few minutes.',
  'failure.temporarily_unavailable.title': 'We cannot look this up right now',
  'failure.temporarily_unavailable.what':
    'Our database is not available at the moment. Nothing that was installed before is lost.',
  'failure.temporarily_unavailable.do': 'Try again in a few minutes.',
  'failure.took_too_long.title': 'This is taking longer than it should',
  'failure.took_too_long.what': 'We did not get an answer in time and did not want to keep you waiting.',
  'failure.took_too_long.do':
    'Look for {app} in Slack in a minute. If it is not there, try again: installing twice does no harm.',
  'failure.not_found.title': 'There is nothing at this address',
  'failure.not_found.what': 'The link may be old, or a part of it may be missing.',
  'failure.not_found.do': 'Check the address, or go to the start page.',
  'failure.progress_expired.title': 'This page is no longer available',
  'failure.progress_expired.what': 'The progress of an install is shown here for a limited time.',
  'failure.progress_expired.do':
    'If the install finished, {app} is in Slack: its Home tab shows the whole record.',
  'failure.method_not_allowed.title': 'That does not work here',
  'failure.method_not_allowed.what':
    'This address does not accept the kind of request that your browser sent.',
  'failure.method_not_allowed.do': 'Go to the start page and follow the links from there.',
  'failure.payload_too_large.title': 'That was too much at once',
  'failure.payload_too_large.what': 'The request was larger than we accept, so we did not read it.',
  'failure.payload_too_large.do': 'Go to the start page and follow the links from there.',
  'failure.internal.title': 'Something went wrong on our side',
  'failure.internal.what':
    'You did nothing wrong. The error is in our log, and the people who run {app} can look it up.',
  'failure.internal.do': 'Try again in a minute.',
  'failure.thatAddress': 'Go to that address',
  'failure.too_many_requests.title': 'Too many attempts',
  'failure.too_many_requests.what':
    'We received more install attempts than we accept at once, so we did not start this one. Nothing has changed in your workspace.',
  'failure.too_many_requests.do':
    'Try again in {unit, select, minutes {{count, plural, one {# minute} other {# minutes}}} other {{count, plural, one {# second} other {# seconds}}}}.',
  'failure.maintenance.title': 'Installing is paused for a moment',
  'failure.maintenance.what':
    'We are doing maintenance on {app}. Workspaces that have it already are not affected.',
  'failure.maintenance.do':
    'Try again in a few minutes. If you have just allowed {app} in Slack, loading this page again finishes the install.',
  'failure.wrong_host.title': 'Please use this page’s own address',
  'failure.wrong_host.what':
    'You reached {app} at a different host name. To keep your session safe, this page opens only at its own address.',
  'failure.wrong_host.do': 'Continue at that address.',
  'failure.notSignedIn': 'You are not signed in',
  'failure.signin_cancelled.title': 'You canceled the sign-in',
  'failure.signin_cancelled.what': 'You said no on Slack’s page, so Slack did not tell us who you are.',
  'failure.signin_cancelled.do': 'If you changed your mind, try again.',
  'failure.signin_state.title': 'This sign-in cannot be finished',
  'failure.signin_state.what':
    'It was started in another browser or more than ten minutes ago, or it is already finished.',
  'failure.signin_state.do':
    'Try again in this browser. If it blocks cookies, allow them for this site first.',
  'failure.signin_return.title': 'We do not know where this link leads',
  'failure.signin_return.what':
    'The link asks us to send you to another site after you sign in, and we do not know that site.',
  'failure.signin_return.do': 'Open the page that you came from, and sign in there again.',
  'failure.signin_refused.title': 'Slack refused the sign-in',
  'failure.signin_refused.what':
    'Slack did not let you sign in to {app}. An admin of your workspace may have restricted this.',
  'failure.signin_refused.do': 'Ask an admin of your workspace, then try again.',
  'failure.signin_untrusted.title': 'We could not confirm who you are',
  'failure.signin_untrusted.what': 'Slack’s answer did not pass our checks, so we did not trust it.',
  'failure.signin_untrusted.do': 'Try again. If this happens again, tell the people who run {app}.',
  'failure.signin_unreachable.title': 'We could not reach Slack to sign you in',
  'failure.signin_unreachable.what':
    'Slack sent no answer, or none that we could use. This usually passes within minutes.',
  'failure.signin_unreachable.do': 'Try again in a few minutes.',
  'failure.signin_misconfigured.title': 'Sign in with Slack is not set up correctly',
  'failure.signin_misconfigured.what':
    'Slack does not accept the settings that {app} runs with. You did nothing wrong.',
  'failure.signin_misconfigured.do':
    'The people who run {app} must fix this. Until then, trying again does not help.',
  'failure.signin_not_installed.title': 'You can sign in once {app} is in your workspace',
  'failure.signin_not_installed.what':
    'Slack confirmed who you are, but only members of a workspace that has {app} can sign in here.',
  'failure.signin_not_installed.do':
    'Add {app} to your workspace, or ask an admin to add it. Then sign in again.',
  'failure.signin_not_operator.title': 'These pages are for operators',
  'failure.signin_not_operator.what':
    'Slack confirmed who you are, but you are not on the list of people who run {app}.',
  'failure.signin_not_operator.do':
    'If you should be on the list, ask the people who run {app} to add you. You can also try again with a different Slack account.',
  'failure.signin_limited.title': 'Too many sign-ins at once',
  'failure.signin_limited.what':
    'We received more sign-ins than we accept at once, so we did not start this one.',
  'failure.signin_limited.do':
    'Try again in {unit, select, minutes {{count, plural, one {# minute} other {# minutes}}} other {{count, plural, one {# second} other {# seconds}}}}.',
  'failure.erase_unreachable.title': 'Your data was not erased',
  'failure.erase_unreachable.what':
    'Slack did not confirm that your account is disconnected, so we erased nothing.',
  'failure.erase_unreachable.do': 'Go to the start page and try again in a few minutes.',
  'failure.signout_refused.title': 'Please sign out on our own page',
  'failure.signout_refused.what': 'The request to sign you out came from another site, so we ignored it.',
  'failure.signout_refused.do': 'Go to the start page and sign out from there.',
  'landing.signIn': 'Already use {app}? Sign in with Slack',
  'record.signedIn': 'Signed in as {person}',
  'record.signOut': 'Sign out',
  'record.data': 'Your data',
  'record.data.what': 'You can download everything that {app} stores about you, or have it erased.',
  'record.data.export': 'Download your data',
  'record.data.erase': 'Erase your data',
  'record.data.erase.what':
    'This erases your profile, disconnects your account and ends your sessions here. It cannot be undone. If you installed {app}, your user id stays with the installation.',
  'record.erased.title': 'Your data is erased',
  'record.erased.what':
    '{app} no longer stores your profile, and you are signed out. If you open it in Slack or sign in again, it registers you again.',
  'signin.button': 'Sign in with Slack',
  'signin.signedOut.title': 'You are signed out',
  'signin.signedOut.what': 'You are signed out of {app} in this browser. You are still signed in to Slack.',
  'failure.link_invalid.title': 'We do not trust this link',
  'failure.link_invalid.what': 'The link that brought you here is incomplete or was changed.',
  'failure.link_invalid.do': 'Ask for a new link where you got this one.',
  'failure.link_expired.title': 'This link has expired',
  'failure.link_expired.what': 'Links that connect a workspace work for a limited time.',
  'failure.link_expired.do': 'Ask for a new link where you got this one.',
  'failure.link_used.title': 'This link was already used to connect a workspace',
  'failure.link_used.what': 'Each link connects one workspace, and this one was already used.',
  'failure.link_used.do': 'To connect another workspace, ask for a new link.',
  'failure.form_expired.title': 'Please open the page again',
  'failure.form_expired.what':
    'This page was open for too long or was opened in another browser, or this browser blocks our cookie.',
  'failure.form_expired.do': 'Go back, reload the page, and try again within half an hour.',
  'failure.gate_refused.title': '{app} cannot be installed here',
  'failure.gate_refused.what':
    '{reason, select, none {{app} does not accept installs from this workspace.} other {{reason}}}',
  'failure.gate_refused.do': 'If you think this is a mistake, ask the people who run {app}.',
  'failure.gate_failed.title': 'We could not check this install',
  'failure.gate_failed.what':
    '{app} checks each install before storing it, and that check failed or took too long.',
  'failure.gate_failed.do': 'Try again in a few minutes.',
  'failure.already_connected.title': 'This workspace is already connected',
  'failure.already_connected.what':
    'The workspace is connected to another account of {app}, so we did not connect it to this one.',
  'failure.already_connected.do':
    'If both accounts are yours, disconnect the workspace in the other account first. Otherwise ask an admin of the workspace.',
  'failure.other_workspace.title': 'You chose another workspace',
  'failure.other_workspace.what':
    'This link is for one particular workspace, and you chose a different one at Slack.',
  'failure.other_workspace.do':
    'Open the link again. In the upper right corner of Slack’s page, choose the workspace that the link is for.',
  'failure.not_installed.title': 'Your workspace does not have {app} yet',
  'failure.not_installed.what': 'You can connect your account only in a workspace that has {app}.',
  'failure.not_installed.do':
    'Add {app} to your workspace, or ask an admin to add it. Then connect your account again.',
  'member.title': 'Your account is connected',
  'member.what':
    '{app} may now act on your behalf. You can disconnect your account in {app}’s Home tab in Slack at any time.',
  'connect.title': 'Connect your Slack workspace?',
  'connect.what': 'The workspace that you choose at Slack will be connected to this account of {app}:',
  'connect.warning':
    'Continue only if you know this account and trust the person who sent you the link. Everyone who uses the account may then work with the workspace through {app}.',
  'connect.continue': 'Continue to Slack',
  'connect.cancel': 'Cancel',
  'connect.unnamed': 'an account without a name',
  'connect.move.title': 'Move this workspace?',
  'connect.move.what':
    '{place} is already connected to another account of {app}. You can move it to this one:',
  'connect.move.warning': 'The other account loses the workspace. Slack will ask you to confirm once more.',
  'connect.move.thisWorkspace': 'This workspace',
  'connect.move.button': 'Move it',
  'connect.finish': 'Finish connecting',
  'welcome.connect':
    '*One step is left.* Connect this workspace to your account. The button works for an hour; after that, Home has a new button.',
  'home.state.unconnected':
    '○  *Not connected yet.* One step is left: connect this workspace to your account.',
  'failure.unknown': 'We do not know yet whether the install was saved',
  'failure.lookAgain': 'Check again',
  'failure.outcome_unknown.title': 'We are checking your install',
  'failure.outcome_unknown.what':
    'Our database failed while it saved your install. Once it is available again, we check what was saved.',
  'failure.outcome_unknown.do':
    'Check again in a few minutes. By then, either {app} is installed and its setup continues, or we have revoked the access that Slack granted and you can start again.',
  'welcome.greeting':
    'Hi {person}, thanks for installing *{app}*{place, select, none {} other { in *{place}*}}.',
  'welcome.action': '*Start here:* open {app}’s Home tab to see what it can do and how its setup went.',
  'welcome.button': 'Open {app}',
  'welcome.why': 'Only you get this message, because you installed {app}.',
  'home.title': '{app} in {place}',
  'home.help': 'Get help',
  'home.times': 'Times are in your own time zone.',
  'home.reference': 'Reference: {id}',
  'home.section.failed': 'This part cannot be shown right now.',
  'home.section.cut': 'Not everything fits here.',
  'home.state.removed': '✕  *Removed.* {app} is no longer installed here.',
  'home.state.broken':
    '✕  *{app} has lost its access.* Slack no longer accepts its token{reason, select, none {} other { ({reason})}}. Install it again to fix this. This record is kept.',
  'home.state.settingUp':
    '◐  *Setting up.* {app} is installed {org, select, yes {for the whole organization} other {in this workspace}}. Its first steps are running.',
  'home.state.waitingForWorkspace':
    '◐  *Waiting for a workspace.* {app} is installed for the whole organization but is in no workspace yet. An org admin adds it to one: in Slack’s admin pages, open Integrations, Installed apps, {app}, then Add to more workspaces. Setup then continues automatically.',
  'home.state.waiting':
    '◐  *Almost there.* {app} is installed {org, select, yes {for the whole organization} other {in this workspace}}. One step of its setup is waiting and continues automatically.',
  'home.state.question':
    '◐  *Waiting for an answer.* {app} is installed {org, select, yes {for the whole organization} other {in this workspace}} and has asked the person who installed it a question.',
  'home.state.failed':
    '✕  *Setup is not complete.* {app} is installed {org, select, yes {for the whole organization} other {in this workspace}}, but a part of its setup failed.',
  'home.state.permissions':
    '✕  *Permissions are missing.* {app} is installed {org, select, yes {for the whole organization} other {in this workspace}}, but some things do not work until they are granted.',
  'home.state.unconfirmed':
    '?  *Set up, but not everything is confirmed.* {app} is installed {org, select, yes {for the whole organization} other {in this workspace}} and works.',
  'home.state.ready':
    '✓  *Everything is in place.* {app} is installed {org, select, yes {for the whole organization} other {in this workspace}} and ready.',
  'home.state.installed':
    '✓  *Installed.* {app} is installed {org, select, yes {for the whole organization} other {in this workspace}}.',
  'home.fact.workspace': 'Workspace',
  'home.fact.organization': 'Organization',
  'home.fact.installedBy': 'Installed by',
  'home.fact.installed': 'Installed',
  'home.setup': 'Setup',
  'home.setup.none': 'No setup has run yet.',
  'home.setup.queued': 'About to start',
  'home.setup.running': 'In progress since {time}',
  'home.setup.waitingForWorkspace': 'Waiting until an org admin adds {app} to a workspace',
  'home.setup.waiting': 'Waiting to continue',
  'home.setup.continues': 'Continues {time}',
  'home.setup.succeeded': 'Finished {time}',
  'home.setup.failed': 'Ended {time}. Not everything worked.',
  'home.setup.cancelled': 'Stopped {time}, before it finished',
  'home.step.todo': 'to do',
  'home.step.running': 'in progress',
  'home.step.next': 'next try {time}',
  'home.step.nextSoon': 'next try soon',
  'home.step.nextTry': 'next try {time}, after {count, plural, one {# attempt} other {# attempts}}',
  'home.step.nextTrySoon': 'next try soon, after {count, plural, one {# attempt} other {# attempts}}',
  'home.step.afterAttempts': 'after {count, plural, one {# attempt} other {# attempts}}',
  'home.step.failed': 'failed after {count, plural, one {# attempt} other {# attempts}}',
  'home.step.skipped': 'skipped',
  'home.step.unconfirmed': 'unconfirmed',
  'home.step.welcomeNote':
    'The message may have arrived: the connection broke while it was being sent. It is sent again only if you ask.',
  'home.step.unconfirmedNote': 'This step may have worked, but there is no way to check.',
  'home.step.more':
    '{count, plural, one {# more step} other {# more steps}} not listed here, {done, number} of them done.',
  'home.retry': 'Try again',
  'home.sendWelcome': 'Send the welcome again',
  'home.sendWelcome.title': 'Send it again?',
  'home.sendWelcome.text': 'The person who installed the app gets the welcome message once more.',
  'home.sendWelcome.doubt': 'The first message may have arrived after all. If it did, there will be two.',
  'home.sendWelcome.confirm': 'Send',
  'home.sendWelcome.cancel': 'Cancel',
  'home.question.intro': '*{app} has a question for you.* Setup continues when you answer.',
  'home.question.reminder': '*A reminder:* {app} still needs your answer.',
  'home.question.label': 'Your answer',
  'home.question.send': 'Send the answer',
  'home.question.answered': '✓  {who} answered: {answer}',
  'home.question.closed': 'This question no longer needs an answer.',
  'home.question.invalid':
    'This answer cannot be used. Close this window, choose or write an answer, and press the button again.',
  'home.setup.question': 'Waiting for an answer',
  'home.askAdmin': 'The person who installed {app}, or an admin, can try again here.',
  'home.account': 'Your account',
  'home.account.offer': '{app} can also act on your behalf. If you connect your account, it may:',
  'home.account.connect': 'Connect your account',
  'home.account.connected': '✓  *Your account is connected.* On your behalf, {app} may:',
  'home.account.disconnect': 'Disconnect',
  'home.account.disconnect.title': 'Disconnect your account?',
  'home.account.disconnect.text': '{app} will no longer be able to act on your behalf. It stays installed.',
  'home.permissions': 'What {app} may do',
  'home.permissions.missing':
    '✕  *{count, plural, one {# permission is} other {# permissions are}} missing.* Some things do not work until {count, plural, one {it is} other {they are}} granted.',
  'home.permissions.granted': '*Granted*',
  'home.permissions.nothing': 'No permissions were granted.',
  'home.permissions.declined':
    '*Not granted.* This is optional: all features work except those that need it.',
  'home.permissions.more':
    '{count, plural, one {# more permission} other {# more permissions}} not listed here.',
  'home.permissions.update': 'Update permissions',
  'home.installAgain': 'Install again',
  'home.you': 'You',
  'home.you.name': 'Name',
  'home.you.email': 'Email',
  'home.you.timeZone': 'Time zone',
  'home.you.kept': '{app} has stored this about you since {time}. Only you see this part.',
  'home.you.picture': 'Your profile picture',
  'home.history': 'History',
  'home.history.older': 'Older entries are not listed here.',
  'home.history.installed': 'Installed{who, select, none {} other { by {who}}}',
  'home.history.reinstalled': 'Installed again{who, select, none {} other { by {who}}}',
  'home.history.user_authorized':
    '{who, select, none {An account was connected} other {{who} connected their account}}',
  'home.history.uninstalled': 'Removed',
  'home.history.tokens_revoked':
    '{who, select, none {Access was revoked} other {Access on behalf of {who} was revoked}}',
  'home.history.token_died': 'Slack stopped accepting the token',
  'home.history.token_works': 'Slack accepts the token again',
  'home.history.access_granted': 'Added to a workspace',
  'home.history.access_revoked': 'Removed from a workspace',
  'home.history.run_succeeded': 'Setup finished',
  'home.history.run_failed': 'Setup ended, but not everything worked',
  'home.history.run_cancelled': 'Setup stopped',
  'home.history.run_retried': 'Setup was tried again{who, select, none {} other { by {who}}}',
  'home.history.uninstall_run_succeeded': 'Cleanup finished',
  'home.history.uninstall_run_failed': 'Cleanup ended, but not everything worked',
  'home.history.welcome_requested': 'Another welcome requested{who, select, none {} other { by {who}}}',
  'home.history.connected': 'Connected to an account{who, select, none {} other { by {who}}}',
  'home.history.disconnected': 'Disconnected from the account',
  'home.history.operator_action': 'The people who run the app made a change',
} as const satisfies Readonly<Record<string, string>>;

/** The name of a message. */
export type TextKey = keyof typeof en;

/** A step in words: before it is done, and while it runs. */
export interface StepTitle {
  readonly todo: string;
  readonly doing: string;
}

/** Foyer's own texts in one language. A missing key is a compile error. */
export interface Translation {
  readonly messages: Readonly<Record<TextKey, string>>;
  readonly scopes: Readonly<Record<KnownScope, string>>;
  readonly userScopes: Readonly<Record<KnownUserScope, string>>;
  /** The titles of the built-in steps, by name; empty for English, the language of the steps' own titles. */
  readonly steps: Readonly<Record<string, StepTitle>>;
}
