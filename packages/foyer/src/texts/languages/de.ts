import { deScopes } from './de-scopes.ts';
import type { Translation } from './en.ts';

/** German. Not reviewed by a native speaker yet. */
export const de: Translation = {
  messages: {
    'page.privacy': 'Datenschutz',
    'page.support': 'Support',
    'page.reference': 'Referenz',
    'page.yourWorkspace': 'Ihrem Workspace',
    'landing.title': '{app} zu Slack hinzufügen',
    'landing.madeBy': 'Ein Produkt von {publisher}',
    'landing.button': 'Zu Slack hinzufügen',
    'landing.next': 'So geht es weiter',
    'landing.next.consent': 'Slack fragt nach dem Workspace und nach Ihrer Zustimmung.',
    'landing.next.setup':
      'Sie kommen hierher zurück und sehen, wie die Einrichtung endet. Das dauert wenige Sekunden.',
    'landing.next.welcome': '{app} sendet eine Willkommensnachricht, nur an Sie.',
    'landing.permissions': 'Was {app} tun darf',
    'landing.permissions.user': 'Was die App in Ihrem Namen tun darf',
    'landing.permissions.none': '{app} verlangt keine Berechtigungen.',
    'landing.optional': 'Optional',
    'landing.reason': 'Wozu: {reason}',
    'landing.unknownScope': 'Eine Berechtigung ohne Beschreibung',
    'landing.enforced': 'Slack setzt diese Liste durch und zeigt sie Ihnen vor der Zustimmung noch einmal.',
    'landing.approval':
      'Wenn Apps bei Ihnen genehmigt werden müssen, senden Sie diesen Link an Ihre Administration:',
    'landing.questions': 'Fragen? {publisher} kontaktieren',
    'progress.connecting.title': 'Verbindung mit Slack',
    'progress.connecting.message':
      'Slack hat Sie zu uns zurückgeschickt, und wir bitten um Zugriff. Das dauert einen Moment.',
    'progress.notInstalled.title': '{app} wurde nicht installiert',
    'progress.notInstalled.message':
      'Es ging etwas schief, bevor die Installation gespeichert war. Nichts wurde eingerichtet. Bitte versuchen Sie es noch einmal.',
    'progress.busy.title': '{app} wird eingerichtet',
    'progress.busy.message': '{app} ist in {place} installiert. Die letzten Schritte dauern wenige Sekunden.',
    'progress.retrying.title': '{app} wird noch eingerichtet',
    'progress.retrying.message':
      '{app} ist in {place} installiert. Ein Schritt hat noch nicht geklappt und wird automatisch wiederholt.',
    'progress.waiting.title': 'In Slack ist noch etwas zu tun',
    'progress.waiting.grant':
      '{app} ist für {place} installiert, aber noch in keinem Workspace. Ein Organisations-Admin öffnet Slacks Admin-Seiten, dann „Integrations“ und „Installed apps“, wählt {app} und fügt die App einem Workspace hinzu. Danach geht die Einrichtung automatisch weiter.',
    'progress.waiting.other':
      '{app} ist in {place} installiert. Die Einrichtung geht weiter, sobald Slack es zulässt.',
    'progress.question.title': '{app} hat eine Frage an Sie',
    'progress.question.message':
      '{app} ist in {place} installiert und hat Ihnen in Slack eine Frage gestellt. Die Einrichtung geht weiter, sobald Sie antworten.',
    'progress.question.here':
      '{app} ist in {place} installiert. Die Einrichtung geht weiter, sobald Sie hier oder in Slack antworten.',
    'progress.question.channel': 'Antworten Sie in Slack: Nur dort lässt sich ein Channel auswählen.',
    'progress.question.elsewhere':
      'Antworten Sie in Slack. Im Web geht das nur in dem Browser, in dem {app} installiert wurde.',
    'progress.question.answered': 'Diese Frage wurde schon beantwortet. Die erste Antwort zählt.',
    'progress.question.invalid':
      'Diese Antwort kann nicht verwendet werden. Wählen oder schreiben Sie eine Antwort und senden Sie sie noch einmal.',
    'progress.done.title': 'Alles ist bereit',
    'progress.done.message': '{app} ist in {place} bereit.',
    'progress.done.welcomed': 'Dort wartet eine Willkommensnachricht auf Sie.',
    'progress.done.unconfirmed':
      'Wir konnten nicht bestätigen, dass Ihre Willkommensnachricht angekommen ist.',
    'progress.failed.title': '{app} ist installiert, aber die Einrichtung ist nicht vollständig',
    'progress.failed.message':
      '{count, plural, one {Ein Schritt} other {# Schritte}} der Einrichtung {count, plural, one {hat} other {haben}} nicht geklappt. {app} ist in {place}. Öffnen Sie in Slack den Home-Tab der App: Er zeigt, was passiert ist, und lässt Sie es noch einmal versuchen.',
    'progress.cancelled.title': 'Diese Einrichtung wurde gestoppt',
    'progress.cancelled.uninstall':
      '{app} wurde aus {place} entfernt, bevor die Einrichtung fertig war. Die App hat keinen Zugriff mehr.',
    'progress.cancelled.unknown':
      'Die Einrichtung von {app} in {place} wurde gestoppt, bevor sie fertig war, zum Beispiel weil der Zugriff von {app} widerrufen wurde. Installieren Sie {app} erneut, um sie abzuschließen.',
    'progress.removed.title': '{app} wurde entfernt',
    'progress.removed.message':
      '{app} wurde nach der Installation aus {place} entfernt. Die App hat keinen Zugriff mehr.',
    'progress.replaced.title': 'Eine neuere Installation hat übernommen',
    'progress.replaced.message':
      '{app} wurde in {place} erneut installiert. Jene Installation schließt die Einrichtung ab.',
    'progress.mayClose': 'Sie können diese Seite schließen. Die Einrichtung läuft im Hintergrund weiter.',
    'progress.offline':
      'Diese Seite erreicht uns gerade nicht und wird automatisch aktualisiert, sobald das wieder geht. Falls unser Server ausgefallen ist, geht die Einrichtung weiter, wenn er wieder läuft.',
    'progress.steps': 'Schritte der Einrichtung',
    'progress.steps.done': 'Einrichtung abgeschlossen',
    'progress.steps.details': 'Details der Einrichtung',
    'progress.next': 'Wie es weitergeht',
    'progress.open': 'In Slack öffnen',
    'progress.openDesktop': 'Slack-App öffnen',
    'progress.startAgain': 'Neu beginnen',
    'step.status.pending': 'Zu tun',
    'step.status.running': 'In Arbeit',
    'step.status.retrying': 'Neuer Versuch',
    'step.status.succeeded': 'Fertig',
    'step.status.failed': 'Fehlgeschlagen',
    'step.status.skipped': 'Übersprungen',
    'step.status.unconfirmed': 'Nicht bestätigt',
    'step.status.waiting': 'Wartet',
    'step.status.stopped': 'Gestoppt',
    'step.note.attempt': 'Versuch {count, number}.',
    'step.note.retrying': 'Es wird automatisch noch einmal versucht.',
    'step.note.unconfirmed': 'Es hat vielleicht geklappt, aber wir konnten es nicht bestätigen.',
    'step.note.welcome':
      'Sie ist vielleicht angekommen. Suchen Sie {app} in Slack. Der Home-Tab kann sie noch einmal senden.',
    'step.note.skipped': 'Diesmal nicht nötig.',
    'error.missing_scope': 'Slack meldet, dass eine Berechtigung fehlt.',
    'error.rate_limited': 'Slack hat um eine Pause gebeten.',
    'error.timeout': 'Slack hat nicht rechtzeitig geantwortet.',
    'error.connection_failed': 'Slack war nicht erreichbar.',
    'error.malformed_answer': 'Slacks Antwort war nicht lesbar.',
    'error.token': 'Slack akzeptiert das Token der App nicht mehr.',
    'error.user_not_found': 'Slack kennt diese Person nicht.',
    'error.messages_tab_disabled': 'Der Nachrichten-Tab der App ist ausgeschaltet.',
    'error.not_enabled': 'Der Home-Tab der App ist ausgeschaltet.',
    'error.slack': 'Slack hatte ein Problem.',
    'error.unknown': 'Es hat nicht geklappt. Die Betreiber von {app} können nachsehen, warum.',
    'failure.nothing': 'Nichts wurde installiert',
    'failure.nothingYet': 'Noch wurde nichts installiert',
    'failure.notFinished': 'Die Installation wurde nicht abgeschlossen',
    'failure.noChange': 'Dieser Besuch hat nichts geändert',
    'failure.mayFinish': 'Die Installation wird vielleicht noch fertig',
    'failure.mayBeUnfinished': 'Die Installation ist vielleicht nicht fertig',
    'failure.tokens.doubt':
      'Falls Slack {app} trotzdem hinzugefügt hat, behebt eine erneute Installation das.',
    'failure.tokens.revoked':
      'Slack hatte bereits Zugriff auf Ihren Workspace erteilt. Wir haben ihn sofort widerrufen.',
    'failure.tokens.kept':
      'Slack hatte bereits Zugriff auf Ihren Workspace erteilt, und wir konnten ihn noch nicht widerrufen. Eine erneute Installation behebt das, ebenso das Entfernen von {app} auf Slacks Seite „Apps verwalten“.',
    'failure.help': 'Kommen Sie nicht weiter? {contact} und die Referenz unten angeben.',
    'failure.contact': 'Support kontaktieren',
    'failure.helpUnlinked':
      'Kommen Sie nicht weiter? Fragen Sie die Betreiber von {app} und geben Sie die Referenz unten an.',
    'failure.helpPlain': 'Kommen Sie nicht weiter? {contact}.',
    'failure.helpPlainUnlinked': 'Kommen Sie nicht weiter? Fragen Sie die Betreiber von {app}.',
    'failure.question': 'Haben Sie noch eine Frage? {contact}.',
    'failure.questionUnlinked': 'Haben Sie noch eine Frage? Fragen Sie die Betreiber von {app}.',
    'failure.startAgain': 'Neu beginnen',
    'failure.tryAgain': 'Noch einmal versuchen',
    'failure.startPage': 'Zur Startseite',
    'failure.continue': 'Weiter zu Slack',
    'failure.access_denied.title': 'Sie haben abgebrochen, und das ist in Ordnung',
    'failure.access_denied.what':
      'Sie haben auf Slacks Seite abgelehnt. In Ihrem Workspace hat sich nichts geändert.',
    'failure.access_denied.do':
      'Wenn Sie es sich anders überlegt haben, beginnen Sie neu. Müssen Apps in Ihrem Workspace genehmigt werden, können Sie auf Slacks Seite eine Anfrage senden.',
    'failure.state_missing.title': 'Noch ein Schritt zum sicheren Abschluss',
    'failure.state_missing.what':
      'Sie kommen direkt von Slacks eigenen Seiten. {app} nimmt nur Installationen an, die hier beginnen, damit niemand in Ihrem Namen einen Workspace verbinden kann.',
    'failure.state_missing.do': 'Fahren Sie fort. Slack bittet Sie noch einmal um Bestätigung.',
    'failure.state_invalid.title': 'Dieser Link ist defekt',
    'failure.state_invalid.what':
      'Der Link, der Sie von Slack zurückbrachte, war unvollständig oder verändert. Deshalb haben wir ihm nicht vertraut.',
    'failure.state_invalid.do': 'Beginnen Sie neu, um einen frischen zu erhalten.',
    'failure.state_wrong_browser.title': 'Bitte beenden Sie den Vorgang im selben Browser',
    'failure.state_wrong_browser.what':
      'Diese Installation wurde nicht in diesem Browser begonnen, oder der Browser blockiert unser Cookie.',
    'failure.state_wrong_browser.do':
      'Erlauben Sie Cookies für diese Website, falls Sie sie blockieren, und beginnen Sie hier neu.',
    'failure.state_expired.title': 'Die zehn Minuten sind vorbei',
    'failure.state_expired.what':
      'Zum Schutz Ihres Workspace muss eine Installation zehn Minuten nach dem Beginn fertig sein.',
    'failure.state_expired.do': 'Beginnen Sie neu, und Sie haben weitere zehn.',
    'failure.state_used.title': 'Dieser Link wurde schon benutzt',
    'failure.state_used.what':
      'Jeder Installationslink funktioniert einmal. Wenn Sie die Installation beim ersten Mal beendet haben, finden Sie {app} in Slack und müssen nichts mehr tun.',
    'failure.state_used.do': 'Wenn nicht, beginnen Sie neu.',
    'failure.code_missing.title': 'Slack hat Sie zu früh zurückgeschickt',
    'failure.code_missing.what': 'Sie kamen ohne Slacks Freigabe zurück. Es gab nichts abzuschließen.',
    'failure.code_missing.do': 'Beginnen Sie neu und klicken Sie auf Slacks Seite auf „Zulassen“.',
    'failure.code_invalid.title': 'Slack akzeptiert diese Freigabe nicht mehr',
    'failure.code_invalid.what':
      'Eine Freigabe gilt einmal und nur für wenige Minuten. Diese war schon benutzt oder abgelaufen.',
    'failure.code_invalid.do': 'Beginnen Sie neu, um eine neue zu erhalten.',
    'failure.app_misconfigured.title': 'Diese App ist nicht richtig eingerichtet',
    'failure.app_misconfigured.what':
      'Slack akzeptiert die Einstellungen von {app} nicht. Sie haben nichts falsch gemacht.',
    'failure.app_misconfigured.do':
      'Die Betreiber von {app} müssen das beheben. Bis dahin hilft kein neuer Versuch.',
    'failure.scope_invalid.title': 'Diese App verlangt etwas, das Slack nicht erlaubt',
    'failure.scope_invalid.what':
      'Slack lehnt eine der Berechtigungen ab, die {app} verlangt. Sie haben nichts falsch gemacht.',
    'failure.scope_invalid.do':
      'Die Betreiber von {app} müssen das beheben. Bis dahin hilft kein neuer Versuch.',
    'failure.slack_unreachable.title': 'Slack war nicht erreichbar',
    'failure.slack_unreachable.what':
      'Slack hat nicht oder nicht richtig geantwortet. Das vergeht meist in wenigen Minuten.',
    'failure.slack_unreachable.do': 'Versuchen Sie es in ein paar Minuten noch einmal.',
    'failure.slack_refused.title': 'Slack hat abgelehnt',
    'failure.slack_refused.what':
      'Slack hat diese Installation abgelehnt. Vielleicht hat Ihre Workspace-Administration eingeschränkt, welche Apps hinzugefügt werden dürfen.',
    'failure.slack_refused.do':
      'Fragen Sie Ihre Workspace-Administration, ob Apps eingeschränkt sind, und versuchen Sie es dann noch einmal.',
    'failure.unapproved_scope.title': 'Ihre Organisation hat diese App noch nicht genehmigt',
    'failure.unapproved_scope.what':
      'Ein Admin Ihrer Organisation muss genehmigen, was {app} tun darf, bevor jemand die App installieren kann.',
    'failure.unapproved_scope.do':
      'Bitten Sie einen Admin Ihrer Organisation, {app} zu genehmigen, und beginnen Sie dann neu.',
    'failure.app_not_distributed.title': 'Diese App kann in Ihrem Workspace noch nicht installiert werden',
    'failure.app_not_distributed.what':
      '{app} ist für andere Workspaces nicht freigegeben: Die öffentliche Verteilung ist bei Slack ausgeschaltet.',
    'failure.app_not_distributed.do':
      'Die Betreiber von {app} können sie einschalten. Bis dahin hilft kein neuer Versuch.',
    'failure.slack_trouble.title': 'Slack hat gerade ein Problem',
    'failure.slack_trouble.what':
      'Slack konnte Ihre Anfrage nicht abschließen. Das vergeht meist in wenigen Minuten.',
    'failure.slack_trouble.do': 'Versuchen Sie es in ein paar Minuten noch einmal.',
    'failure.database_unavailable.title': 'Wir konnten Ihre Installation nicht speichern',
    'failure.database_unavailable.what':
      'Unsere Datenbank ist gerade nicht verfügbar. Wir haben aufgehört, statt etwas halb fertig zu lassen.',
    'failure.database_unavailable.do': 'Versuchen Sie es in ein paar Minuten noch einmal.',
    'failure.temporarily_unavailable.title': 'Wir können das gerade nicht nachsehen',
    'failure.temporarily_unavailable.what':
      'Unsere Datenbank ist im Moment nicht verfügbar. Was vorher installiert wurde, ist nicht verloren.',
    'failure.temporarily_unavailable.do': 'Versuchen Sie es in ein paar Minuten noch einmal.',
    'failure.took_too_long.title': 'Das dauert länger, als es sollte',
    'failure.took_too_long.what':
      'Wir bekamen nicht rechtzeitig eine Antwort und wollten Sie nicht warten lassen.',
    'failure.took_too_long.do':
      'Suchen Sie in einer Minute in Slack nach {app}. Wenn die App nicht da ist, versuchen Sie es noch einmal: Zweimal installieren schadet nicht.',
    'failure.not_found.title': 'Unter dieser Adresse gibt es nichts',
    'failure.not_found.what': 'Der Link ist vielleicht alt, oder ein Teil davon fehlt.',
    'failure.not_found.do': 'Prüfen Sie die Adresse, oder gehen Sie zur Startseite.',
    'failure.progress_expired.title': 'Diese Seite ist nicht mehr verfügbar',
    'failure.progress_expired.what':
      'Der Verlauf einer Installation ist hier nur für begrenzte Zeit zu sehen.',
    'failure.progress_expired.do':
      'Wenn die Installation fertig ist, finden Sie {app} in Slack: Der Home-Tab zeigt alles.',
    'failure.method_not_allowed.title': 'Das geht hier nicht',
    'failure.method_not_allowed.what':
      'Diese Adresse beantwortet die Art von Anfrage nicht, die Ihr Browser gesendet hat.',
    'failure.method_not_allowed.do': 'Gehen Sie zur Startseite und folgen Sie dort den Links.',
    'failure.payload_too_large.title': 'Das war zu viel auf einmal',
    'failure.payload_too_large.what': 'Die Anfrage war größer als erlaubt. Wir haben sie nicht gelesen.',
    'failure.payload_too_large.do': 'Gehen Sie zur Startseite und folgen Sie dort den Links.',
    'failure.internal.title': 'Bei uns ist etwas schiefgegangen',
    'failure.internal.what':
      'Sie haben nichts falsch gemacht. Der Fehler steht in unserem Protokoll, und die Betreiber von {app} können ihn nachsehen.',
    'failure.internal.do': 'Versuchen Sie es in einer Minute noch einmal.',
    'failure.thatAddress': 'Zu dieser Adresse',
    'failure.too_many_requests.title': 'Zu viele Versuche',
    'failure.too_many_requests.what':
      'Wir haben mehr Installationsversuche erhalten, als wir auf einmal annehmen. Diesen haben wir nicht begonnen. In Ihrem Workspace hat sich nichts geändert.',
    'failure.too_many_requests.do':
      'Versuchen Sie es in {unit, select, minutes {{count, plural, one {# Minute} other {# Minuten}}} other {{count, plural, one {# Sekunde} other {# Sekunden}}}} noch einmal.',
    'failure.maintenance.title': 'Installationen sind kurz unterbrochen',
    'failure.maintenance.what':
      'Wir warten {app} gerade. Workspaces, die {app} schon haben, sind nicht betroffen.',
    'failure.maintenance.do':
      'Versuchen Sie es in ein paar Minuten noch einmal. Wenn Sie {app} gerade in Slack zugelassen haben, schließt ein erneutes Laden dieser Seite die Installation ab.',
    'failure.wrong_host.title': 'Bitte nutzen Sie die eigene Adresse dieser Seite',
    'failure.wrong_host.what':
      'Sie haben {app} unter einem anderen Hostnamen erreicht. Zum Schutz Ihrer Sitzung öffnet sich diese Seite nur unter ihrer eigenen Adresse.',
    'failure.wrong_host.do': 'Machen Sie dort weiter.',
    'failure.notSignedIn': 'Sie sind nicht angemeldet',
    'failure.signin_cancelled.title': 'Sie haben die Anmeldung abgebrochen',
    'failure.signin_cancelled.what':
      'Sie haben auf Slacks Seite abgelehnt. Slack hat uns nicht mitgeteilt, wer Sie sind.',
    'failure.signin_cancelled.do': 'Wenn Sie es sich anders überlegt haben, versuchen Sie es noch einmal.',
    'failure.signin_state.title': 'Diese Anmeldung kann nicht abgeschlossen werden',
    'failure.signin_state.what':
      'Sie wurde in einem anderen Browser oder vor mehr als zehn Minuten begonnen, oder sie wurde schon abgeschlossen.',
    'failure.signin_state.do':
      'Versuchen Sie es in diesem Browser noch einmal. Falls er Cookies blockiert, erlauben Sie sie zuerst für diese Seite.',
    'failure.signin_return.title': 'Wir wissen nicht, wohin dieser Link führt',
    'failure.signin_return.what':
      'Er verlangt, dass wir Sie nach der Anmeldung zu einer anderen Website schicken, die wir nicht kennen.',
    'failure.signin_return.do':
      'Öffnen Sie die Seite, von der Sie kamen, und melden Sie sich dort noch einmal an.',
    'failure.signin_refused.title': 'Slack hat die Anmeldung abgelehnt',
    'failure.signin_refused.what':
      'Slack hat die Anmeldung bei {app} nicht zugelassen. Vielleicht hat Ihre Workspace-Administration das eingeschränkt.',
    'failure.signin_refused.do':
      'Fragen Sie Ihre Workspace-Administration, und versuchen Sie es dann noch einmal.',
    'failure.signin_untrusted.title': 'Wir konnten nicht bestätigen, wer Sie sind',
    'failure.signin_untrusted.what':
      'Slacks Antwort hat unsere Prüfungen nicht bestanden. Deshalb haben wir ihr nicht vertraut.',
    'failure.signin_untrusted.do':
      'Versuchen Sie es noch einmal. Wenn es wieder geschieht, sagen Sie es den Betreibern von {app}.',
    'failure.signin_unreachable.title': 'Slack war für die Anmeldung nicht erreichbar',
    'failure.signin_unreachable.what':
      'Slack hat nicht oder nicht richtig geantwortet. Das vergeht meist in wenigen Minuten.',
    'failure.signin_unreachable.do': 'Versuchen Sie es in ein paar Minuten noch einmal.',
    'failure.signin_misconfigured.title': 'Die Anmeldung mit Slack ist nicht richtig eingerichtet',
    'failure.signin_misconfigured.what':
      'Slack akzeptiert die Einstellungen von {app} nicht. Sie haben nichts falsch gemacht.',
    'failure.signin_misconfigured.do':
      'Die Betreiber von {app} müssen das beheben. Bis dahin hilft kein neuer Versuch.',
    'failure.signin_not_installed.title': 'Anmelden können Sie sich, sobald {app} in Ihrem Workspace ist',
    'failure.signin_not_installed.what':
      'Slack hat bestätigt, wer Sie sind. Anmelden können sich hier aber nur Mitglieder eines Workspace, in dem {app} installiert ist.',
    'failure.signin_not_installed.do':
      'Fügen Sie {app} zu Ihrem Workspace hinzu, oder bitten Sie Ihre Administration darum. Melden Sie sich dann noch einmal an.',
    'failure.signin_not_operator.title': 'Diese Seiten sind für die Betreiber',
    'failure.signin_not_operator.what':
      'Slack hat bestätigt, wer Sie sind. Sie stehen aber nicht auf der Liste der Betreiber von {app}.',
    'failure.signin_not_operator.do':
      'Wenn Sie darauf stehen sollten, fragen Sie die Betreiber von {app}. Sie können es auch als eine andere Person noch einmal versuchen.',
    'failure.signin_limited.title': 'Zu viele Anmeldungen auf einmal',
    'failure.signin_limited.what':
      'Wir haben mehr Anmeldungen erhalten, als wir auf einmal annehmen. Diese haben wir nicht begonnen.',
    'failure.signin_limited.do':
      'Versuchen Sie es in {unit, select, minutes {{count, plural, one {# Minute} other {# Minuten}}} other {{count, plural, one {# Sekunde} other {# Sekunden}}}} noch einmal.',
    'failure.erase_unreachable.title': 'Ihre Daten wurden nicht gelöscht',
    'failure.erase_unreachable.what':
      'Slack hat nicht bestätigt, dass Ihre eigene Verbindung widerrufen ist. Deshalb haben wir nichts gelöscht.',
    'failure.erase_unreachable.do':
      'Gehen Sie zur Startseite und versuchen Sie es in ein paar Minuten noch einmal.',
    'failure.signout_refused.title': 'Bitte melden Sie sich auf unserer eigenen Seite ab',
    'failure.signout_refused.what':
      'Die Aufforderung, Sie abzumelden, kam von einer anderen Website. Wir sind ihr nicht gefolgt.',
    'failure.signout_refused.do': 'Gehen Sie zur Startseite, und melden Sie sich dort ab.',
    'landing.signIn': 'Sie nutzen {app} schon? Mit Slack anmelden',
    'record.signedIn': 'Angemeldet als {person}',
    'record.signOut': 'Abmelden',
    'record.data': 'Ihre Daten',
    'record.data.what':
      'Sie können alles herunterladen, was {app} über Sie speichert, oder es löschen lassen.',
    'record.data.export': 'Daten herunterladen',
    'record.data.erase': 'Daten löschen',
    'record.data.erase.what':
      'Das löscht hier Ihr Profil, Ihre Sitzungen und Ihre eigene Verbindung und lässt sich nicht rückgängig machen. Wenn Sie {app} installiert haben, bleibt Ihre Benutzer-ID bei der Installation.',
    'record.erased.title': 'Ihre Daten sind gelöscht',
    'record.erased.what':
      '{app} speichert Ihr Profil nicht mehr, und Sie sind abgemeldet. Wenn Sie die App in Slack öffnen oder sich wieder anmelden, werden Sie neu registriert.',
    'signin.button': 'Mit Slack anmelden',
    'signin.signedOut.title': 'Sie sind abgemeldet',
    'signin.signedOut.what':
      'Sie sind in diesem Browser von {app} abgemeldet. Bei Slack sind Sie weiterhin angemeldet.',
    'failure.link_invalid.title': 'Wir vertrauen diesem Link nicht',
    'failure.link_invalid.what':
      'Der Link, der Sie hierher gebracht hat, ist unvollständig oder wurde verändert.',
    'failure.link_invalid.do': 'Bitten Sie die Person oder Seite, von der Sie ihn haben, um einen neuen.',
    'failure.link_expired.title': 'Dieser Link ist abgelaufen',
    'failure.link_expired.what': 'Links, die einen Workspace verbinden, gelten nur begrenzte Zeit.',
    'failure.link_expired.do': 'Bitten Sie die Person oder Seite, von der Sie ihn haben, um einen neuen.',
    'failure.link_used.title': 'Dieser Link hat schon einen Workspace verbunden',
    'failure.link_used.what': 'Jeder Link verbindet einen Workspace, und dieser wurde schon benutzt.',
    'failure.link_used.do': 'Bitten Sie um einen neuen Link, um einen weiteren Workspace zu verbinden.',
    'failure.form_expired.title': 'Bitte öffnen Sie die Seite noch einmal',
    'failure.form_expired.what':
      'Diese Seite war zu lange offen, wurde in einem anderen Browser geöffnet, oder dieser Browser blockiert unser Cookie.',
    'failure.form_expired.do':
      'Gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es innerhalb einer halben Stunde noch einmal.',
    'failure.gate_refused.title': '{app} kann hier nicht installiert werden',
    'failure.gate_refused.what':
      '{reason, select, none {{app} nimmt keine Installationen aus diesem Workspace an.} other {{reason}}}',
    'failure.gate_refused.do': 'Wenn Sie das für einen Fehler halten, fragen Sie die Betreiber von {app}.',
    'failure.gate_failed.title': 'Wir konnten diese Installation nicht prüfen',
    'failure.gate_failed.what':
      '{app} prüft jede Installation vor dem Speichern. Diese Prüfung ist fehlgeschlagen oder hat zu lange gedauert.',
    'failure.gate_failed.do': 'Versuchen Sie es in ein paar Minuten noch einmal.',
    'failure.already_connected.title': 'Dieser Workspace ist schon verbunden',
    'failure.already_connected.what':
      'Der Workspace ist mit einem anderen Konto von {app} verbunden. Wir haben ihn nicht mit diesem verbunden.',
    'failure.already_connected.do':
      'Wenn beide Konten Ihnen gehören, trennen Sie ihn zuerst vom anderen. Fragen Sie sonst eine Administratorin oder einen Administrator des Workspace.',
    'failure.other_workspace.title': 'Sie haben einen anderen Workspace gewählt',
    'failure.other_workspace.what':
      'Dieser Link gilt für einen bestimmten Workspace, und Sie haben bei Slack einen anderen gewählt.',
    'failure.other_workspace.do':
      'Öffnen Sie den Link noch einmal und wählen Sie oben rechts auf Slacks Seite den richtigen.',
    'failure.not_installed.title': 'Ihr Workspace hat {app} noch nicht',
    'failure.not_installed.what':
      'Sie können Ihr Konto nur in einem Workspace verbinden, in dem {app} installiert ist.',
    'failure.not_installed.do':
      'Fügen Sie {app} zu Ihrem Workspace hinzu oder bitten Sie einen Admin darum. Verbinden Sie dann Ihr Konto noch einmal.',
    'member.title': 'Ihr Konto ist verbunden',
    'member.what':
      '{app} darf jetzt in Ihrem Namen handeln. Sie können Ihr Konto jederzeit im Home-Tab von {app} in Slack trennen.',
    'connect.title': 'Ihren Slack-Workspace verbinden?',
    'connect.what': 'Der Workspace, den Sie bei Slack wählen, wird mit diesem Konto von {app} verbunden:',
    'connect.warning':
      'Fahren Sie nur fort, wenn Sie dieses Konto kennen und der Person vertrauen, die Ihnen den Link geschickt hat. Alle, die das Konto nutzen, können dann über {app} mit dem Workspace arbeiten.',
    'connect.continue': 'Weiter zu Slack',
    'connect.cancel': 'Abbrechen',
    'connect.unnamed': 'ein Konto ohne Namen',
    'connect.move.title': 'Diesen Workspace verschieben?',
    'connect.move.what':
      '{place} ist schon mit einem anderen Konto von {app} verbunden. Sie können ihn zu diesem verschieben:',
    'connect.move.warning':
      'Das andere Konto verliert den Workspace. Slack bittet Sie noch einmal um Bestätigung.',
    'connect.move.thisWorkspace': 'Dieser Workspace',
    'connect.move.button': 'Verschieben',
    'connect.finish': 'Verbindung abschließen',
    'welcome.connect':
      '*Ein Schritt fehlt noch.* Verbinden Sie diesen Workspace mit Ihrem Konto. Der Knopf gilt eine Stunde; danach gibt es im Home-Tab einen neuen.',
    'home.state.unconnected':
      '○  *Noch nicht verbunden.* Ein Schritt fehlt: Verbinden Sie diesen Workspace mit Ihrem Konto.',
    'failure.unknown': 'Wir wissen noch nicht, ob sie gespeichert wurde',
    'failure.lookAgain': 'Noch einmal nachsehen',
    'failure.outcome_unknown.title': 'Wir prüfen Ihre Installation',
    'failure.outcome_unknown.what':
      'Unsere Datenbank ist beim Speichern Ihrer Installation ausgefallen. Sobald sie wieder erreichbar ist, sehen wir nach, was gespeichert wurde.',
    'failure.outcome_unknown.do':
      'Sehen Sie in ein paar Minuten noch einmal nach. Dann ist {app} installiert und die Einrichtung läuft weiter, oder wir haben den von Slack erteilten Zugriff widerrufen und Sie können neu beginnen.',
    'welcome.greeting':
      'Hallo {person}, danke, dass Sie *{app}* installiert haben{place, select, none {} other { – in *{place}*}}.',
    'welcome.action':
      '*So fangen Sie an:* Öffnen Sie den Home-Tab von {app}. Er zeigt, was die App kann und wie die Einrichtung lief.',
    'welcome.button': '{app} öffnen',
    'welcome.why': 'Nur Sie erhalten diese Nachricht, weil Sie {app} installiert haben.',
    'home.title': '{app} in {place}',
    'home.help': 'Hilfe erhalten',
    'home.times': 'Die Zeiten gelten für Ihre Zeitzone.',
    'home.reference': 'Referenz: {id}',
    'home.section.failed': 'Dieser Teil kann gerade nicht angezeigt werden.',
    'home.section.cut': 'Hier passt nicht alles hin.',
    'home.state.removed': '✕  *Entfernt.* {app} ist hier nicht mehr installiert.',
    'home.state.broken':
      '✕  *{app} hat den Zugriff verloren.* Slack akzeptiert das Token nicht mehr{reason, select, none {} other { ({reason})}}. Installieren Sie die App noch einmal. Diese Aufzeichnung bleibt erhalten.',
    'home.state.settingUp':
      '◐  *Wird eingerichtet.* {app} ist {org, select, yes {für die ganze Organisation} other {in diesem Workspace}} installiert. Die ersten Schritte laufen.',
    'home.state.waitingForWorkspace':
      '◐  *Wartet auf einen Workspace.* {app} ist für die ganze Organisation installiert, aber noch in keinem Workspace. Ein Organisations-Admin fügt die App hinzu: in Slacks Admin-Seiten unter „Integrations“, „Installed apps“, {app}, „Add to more workspaces“. Danach geht die Einrichtung automatisch weiter.',
    'home.state.waiting':
      '◐  *Fast fertig.* {app} ist {org, select, yes {für die ganze Organisation} other {in diesem Workspace}} installiert. Ein Schritt der Einrichtung wartet und geht automatisch weiter.',
    'home.state.question':
      '◐  *Wartet auf eine Antwort.* {app} ist {org, select, yes {für die ganze Organisation} other {in diesem Workspace}} installiert und hat der installierenden Person eine Frage gestellt.',
    'home.state.failed':
      '✕  *Die Einrichtung ist nicht vollständig.* {app} ist {org, select, yes {für die ganze Organisation} other {in diesem Workspace}} installiert, aber ein Teil der Einrichtung ist fehlgeschlagen.',
    'home.state.permissions':
      '✕  *Berechtigungen fehlen.* {app} ist {org, select, yes {für die ganze Organisation} other {in diesem Workspace}} installiert, aber manches funktioniert erst, wenn sie erteilt sind.',
    'home.state.unconfirmed':
      '?  *Eingerichtet, aber nicht alles ist bestätigt.* {app} ist {org, select, yes {für die ganze Organisation} other {in diesem Workspace}} installiert und funktioniert.',
    'home.state.ready':
      '✓  *Alles ist eingerichtet.* {app} ist {org, select, yes {für die ganze Organisation} other {in diesem Workspace}} installiert und bereit.',
    'home.state.installed':
      '✓  *Installiert.* {app} ist {org, select, yes {für die ganze Organisation} other {in diesem Workspace}} installiert.',
    'home.fact.workspace': 'Workspace',
    'home.fact.organization': 'Organisation',
    'home.fact.installedBy': 'Installiert von',
    'home.fact.installed': 'Installiert',
    'home.setup': 'Einrichtung',
    'home.setup.none': 'Noch wurde nichts eingerichtet.',
    'home.setup.queued': 'Beginnt gleich',
    'home.setup.running': 'Läuft seit {time}',
    'home.setup.waitingForWorkspace': 'Wartet, bis ein Organisations-Admin {app} einem Workspace hinzufügt',
    'home.setup.waiting': 'Wartet auf die Fortsetzung',
    'home.setup.continues': 'Geht weiter: {time}',
    'home.setup.succeeded': 'Fertig: {time}',
    'home.setup.failed': 'Beendet: {time}. Nicht alles hat geklappt.',
    'home.setup.cancelled': 'Gestoppt: {time}, bevor alles fertig war',
    'home.step.todo': 'zu tun',
    'home.step.running': 'in Arbeit',
    'home.step.next': 'nächster Versuch {time}',
    'home.step.nextSoon': 'nächster Versuch bald',
    'home.step.nextTry': 'nächster Versuch {time}, nach {count, plural, one {# Versuch} other {# Versuchen}}',
    'home.step.nextTrySoon':
      'nächster Versuch bald, nach {count, plural, one {# Versuch} other {# Versuchen}}',
    'home.step.afterAttempts': 'nach {count, plural, one {# Versuch} other {# Versuchen}}',
    'home.step.failed': 'fehlgeschlagen nach {count, plural, one {# Versuch} other {# Versuchen}}',
    'home.step.skipped': 'übersprungen',
    'home.step.unconfirmed': 'unbestätigt',
    'home.step.welcomeNote':
      'Die Nachricht ist vielleicht angekommen: Die Verbindung brach beim Senden ab. Sie wird nur auf Ihren Wunsch noch einmal gesendet.',
    'home.step.unconfirmedNote': 'Dieser Schritt hat vielleicht geklappt, aber es lässt sich nicht prüfen.',
    'home.step.more':
      '{count, plural, one {# weiterer Schritt} other {# weitere Schritte}} hier nicht aufgeführt, davon {done, number} fertig.',
    'home.retry': 'Noch einmal versuchen',
    'home.sendWelcome': 'Willkommen erneut senden',
    'home.sendWelcome.title': 'Erneut senden?',
    'home.sendWelcome.text':
      'Die Person, die die App installiert hat, erhält die Willkommensnachricht noch einmal.',
    'home.sendWelcome.doubt': 'Die erste ist vielleicht doch angekommen. Dann sind es zwei.',
    'home.sendWelcome.confirm': 'Senden',
    'home.sendWelcome.cancel': 'Abbrechen',
    'home.question.intro':
      '*{app} hat eine Frage an Sie.* Die Einrichtung geht weiter, sobald Sie antworten.',
    'home.question.reminder': '*Zur Erinnerung:* {app} wartet noch auf Ihre Antwort.',
    'home.question.label': 'Ihre Antwort',
    'home.question.send': 'Antwort senden',
    'home.question.answered': '✓  {who} hat geantwortet: {answer}',
    'home.question.closed': 'Diese Frage ist erledigt: Es ist keine Antwort mehr nötig.',
    'home.question.invalid':
      'Diese Antwort kann nicht verwendet werden. Schließen Sie dieses Fenster, wählen oder schreiben Sie eine Antwort und drücken Sie die Taste noch einmal.',
    'home.setup.question': 'Wartet auf eine Antwort',
    'home.askAdmin': 'Wer {app} installiert hat oder ein Admin kann es hier noch einmal versuchen.',
    'home.account': 'Ihr Konto',
    'home.account.offer': '{app} kann auch in Ihrem Namen handeln. Wenn Sie Ihr Konto verbinden, darf es:',
    'home.account.connect': 'Konto verbinden',
    'home.account.connected': '✓  *Ihr Konto ist verbunden.* In Ihrem Namen darf {app}:',
    'home.account.disconnect': 'Trennen',
    'home.account.disconnect.title': 'Ihr Konto trennen?',
    'home.account.disconnect.text':
      '{app} kann dann nicht mehr in Ihrem Namen handeln. Die App bleibt installiert.',
    'home.permissions': 'Was {app} tun darf',
    'home.permissions.missing':
      '✕  *{count, plural, one {# Berechtigung fehlt} other {# Berechtigungen fehlen}}.* Manches funktioniert erst, wenn {count, plural, one {sie erteilt ist} other {sie erteilt sind}}.',
    'home.permissions.granted': '*Erteilt*',
    'home.permissions.nothing': 'Es wurden keine Berechtigungen erteilt.',
    'home.permissions.declined': '*Nicht erteilt.* Das ist optional: Nur was es braucht, funktioniert nicht.',
    'home.permissions.more':
      '{count, plural, one {# weitere Berechtigung} other {# weitere Berechtigungen}} hier nicht aufgeführt.',
    'home.permissions.update': 'Berechtigungen aktualisieren',
    'home.installAgain': 'Erneut installieren',
    'home.you': 'Sie',
    'home.you.name': 'Name',
    'home.you.email': 'E-Mail',
    'home.you.timeZone': 'Zeitzone',
    'home.you.kept': 'Das speichert {app} über Sie, seit {time}. Nur Sie sehen diesen Teil.',
    'home.you.picture': 'Ihr Profilbild',
    'home.history': 'Verlauf',
    'home.history.older': 'Ältere Einträge sind hier nicht aufgeführt.',
    'home.history.installed': 'Installiert{who, select, none {} other { von {who}}}',
    'home.history.reinstalled': 'Erneut installiert{who, select, none {} other { von {who}}}',
    'home.history.user_authorized':
      '{who, select, none {Ein Konto wurde verbunden} other {{who} hat das eigene Konto verbunden}}',
    'home.history.uninstalled': 'Entfernt',
    'home.history.tokens_revoked':
      '{who, select, none {Zugriff wurde widerrufen} other {Der Zugriff von {who} wurde widerrufen}}',
    'home.history.token_died': 'Slack akzeptiert das Token nicht mehr',
    'home.history.token_works': 'Slack akzeptiert das Token wieder',
    'home.history.access_granted': 'Zu einem Workspace hinzugefügt',
    'home.history.access_revoked': 'Aus einem Workspace entfernt',
    'home.history.run_succeeded': 'Einrichtung fertig',
    'home.history.run_failed': 'Einrichtung beendet, aber nicht alles hat geklappt',
    'home.history.run_cancelled': 'Einrichtung gestoppt',
    'home.history.run_retried': 'Einrichtung erneut versucht{who, select, none {} other { von {who}}}',
    'home.history.uninstall_run_succeeded': 'Aufräumen fertig',
    'home.history.uninstall_run_failed': 'Aufräumen beendet, aber nicht alles hat geklappt',
    'home.history.welcome_requested':
      'Weitere Willkommensnachricht angefordert{who, select, none {} other { von {who}}}',
    'home.history.connected': 'Mit einem Konto verbunden{who, select, none {} other { von {who}}}',
    'home.history.disconnected': 'Vom Konto getrennt',
    'home.history.operator_action': 'Die Betreiber der App haben etwas geändert',
  },
  scopes: deScopes.scopes,
  userScopes: deScopes.userScopes,
  steps: {
    'register-team': { todo: 'Workspace registrieren', doing: 'Ihr Workspace wird registriert' },
    'register-user': { todo: 'Installierende Person registrieren', doing: 'Sie werden registriert' },
    'fetch-profile': { todo: 'Profil lesen', doing: 'Ihr Profil wird gelesen' },
    'send-welcome': { todo: 'Willkommensnachricht senden', doing: 'Ihre Willkommensnachricht wird gesendet' },
    'publish-home': { todo: 'Home-Tab vorbereiten', doing: 'Der Home-Tab wird vorbereitet' },
  },
};
