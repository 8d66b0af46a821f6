import type { Translation } from './en.ts';
import { frScopes } from './fr-scopes.ts';

/** French. Not reviewed by a native speaker yet. */
export const fr: Translation = {
  messages: {
    'page.privacy': 'Confidentialité',
    'page.support': 'Assistance',
    'page.reference': 'Référence\u00a0',
    'page.yourWorkspace': 'votre espace de travail',
    'landing.title': 'Ajouter {app} à Slack',
    'landing.madeBy': 'Proposé par {publisher}',
    'landing.button': 'Ajouter à Slack',
    'landing.next': 'Et ensuite ?',
    'landing.next.consent': 'Slack vous demande quel espace de travail utiliser et si vous êtes d’accord.',
    'landing.next.setup':
      'Vous revenez ici et voyez la configuration se terminer. Cela prend quelques secondes.',
    'landing.next.welcome': '{app} envoie un seul message de bienvenue, à vous seul.',
    'landing.permissions': 'Ce que {app} peut faire',
    'landing.permissions.user': 'Ce que l’application peut faire en votre nom',
    'landing.permissions.none': '{app} ne demande aucune autorisation.',
    'landing.optional': 'Facultatif',
    'landing.reason': 'Pourquoi : {reason}',
    'landing.unknownScope': 'Une autorisation sans description ici',
    'landing.enforced': 'Slack applique cette liste et vous la montre de nouveau avant votre accord.',
    'landing.approval': 'Si un administrateur doit approuver les applications, envoyez-lui ce lien :',
    'landing.questions': 'Des questions ? Contacter {publisher}',
    'progress.connecting.title': 'Connexion à Slack',
    'progress.connecting.message':
      'Slack vous a renvoyé vers nous et nous lui demandons l’accès. Cela prend un instant.',
    'progress.notInstalled.title': '{app} n’a pas été installée',
    'progress.notInstalled.message':
      'Un problème est survenu avant l’enregistrement de l’installation. Rien n’a été configuré. Veuillez réessayer.',
    'progress.busy.title': 'Configuration de {app}',
    'progress.busy.message':
      '{app} est installée dans {place}. Les dernières étapes prennent quelques secondes.',
    'progress.retrying.title': 'Configuration de {app} toujours en cours',
    'progress.retrying.message':
      '{app} est installée dans {place}. Une étape n’a pas encore réussi et sera retentée automatiquement.',
    'progress.waiting.title': 'Il reste une chose à faire dans Slack',
    'progress.waiting.grant':
      '{app} est installée pour {place}, mais aucun espace de travail ne l’a encore. Un administrateur de l’organisation ouvre les pages d’administration de Slack, puis « Integrations » et « Installed apps », choisit {app} et l’ajoute à un espace de travail. La configuration reprend alors automatiquement.',
    'progress.waiting.other':
      '{app} est installée dans {place}. La configuration reprend dès que Slack le permet.',
    'progress.question.title': '{app} a une question pour vous',
    'progress.question.message':
      '{app} est installée dans {place} et vous a posé une question dans Slack. La configuration reprend dès votre réponse.',
    'progress.question.here':
      '{app} est installée dans {place}. La configuration reprend dès votre réponse, ici ou dans Slack.',
    'progress.question.channel': 'Répondez dans Slack : un canal ne peut être choisi que là.',
    'progress.question.elsewhere':
      'Répondez dans Slack. Sur le Web, seul le navigateur qui a installé {app} permet de répondre.',
    'progress.question.answered': 'Cette question a déjà une réponse. C’est la première qui compte.',
    'progress.question.invalid':
      'Cette réponse ne peut pas être utilisée. Choisissez ou écrivez une réponse, puis envoyez-la de nouveau.',
    'progress.done.title': 'Tout est prêt',
    'progress.done.message': '{app} est prête dans {place}.',
    'progress.done.welcomed': 'Un message de bienvenue vous y attend.',
    'progress.done.unconfirmed': 'Nous n’avons pas pu confirmer que votre message de bienvenue est arrivé.',
    'progress.failed.title': '{app} est installée, mais la configuration est incomplète',
    'progress.failed.message':
      '{count, plural, one {Une étape} other {# étapes}} de la configuration {count, plural, one {n’a pas réussi} other {n’ont pas réussi}}. {app} est dans {place}. Ouvrez son onglet Accueil dans Slack : il montre ce qui s’est passé et permet de réessayer.',
    'progress.cancelled.title': 'Cette configuration a été arrêtée',
    'progress.cancelled.uninstall':
      '{app} a été retirée de {place} avant la fin de la configuration. Elle n’a plus accès.',
    'progress.cancelled.unknown':
      'La configuration de {app} dans {place} a été arrêtée avant la fin, par exemple parce que l’accès de {app} a été révoqué. Pour la terminer, installez {app} à nouveau.',
    'progress.removed.title': '{app} a été retirée',
    'progress.removed.message': '{app} a été retirée de {place} après son installation. Elle n’a plus accès.',
    'progress.replaced.title': 'Une installation plus récente a pris le relais',
    'progress.replaced.message':
      '{app} a été réinstallée dans {place}. Cette installation-là termine la configuration.',
    'progress.mayClose': 'Vous pouvez fermer cette page. La configuration continue en arrière-plan.',
    'progress.offline':
      'Cette page ne peut pas nous joindre pour le moment. Elle se mettra à jour automatiquement dès que possible. Si notre serveur est en panne, la configuration reprendra dès son retour.',
    'progress.steps': 'Étapes de la configuration',
    'progress.steps.done': 'Configuration terminée',
    'progress.steps.details': 'Détails de la configuration',
    'progress.next': 'Que faire ensuite',
    'progress.open': 'Ouvrir dans Slack',
    'progress.openDesktop': 'Ouvrir l’application Slack',
    'progress.startAgain': 'Recommencer',
    'step.status.pending': 'À faire',
    'step.status.running': 'En cours',
    'step.status.retrying': 'Nouvel essai',
    'step.status.succeeded': 'Terminé',
    'step.status.failed': 'Échec',
    'step.status.skipped': 'Ignoré',
    'step.status.unconfirmed': 'Non confirmé',
    'step.status.waiting': 'En attente',
    'step.status.stopped': 'Arrêté',
    'step.note.attempt': 'Essai {count, number}.',
    'step.note.retrying': 'Un nouvel essai aura lieu automatiquement.',
    'step.note.unconfirmed': 'Cela a peut-être fonctionné, mais nous n’avons pas pu le confirmer.',
    'step.note.welcome':
      'Il est peut-être arrivé. Cherchez {app} dans Slack. Son onglet Accueil peut le renvoyer.',
    'step.note.skipped': 'Inutile cette fois.',
    'error.missing_scope': 'Slack indique qu’une autorisation manque.',
    'error.rate_limited': 'Slack a demandé une pause.',
    'error.timeout': 'Slack n’a pas répondu à temps.',
    'error.connection_failed': 'Slack était injoignable.',
    'error.malformed_answer': 'La réponse de Slack était illisible.',
    'error.token': 'Slack n’accepte plus le jeton de l’application.',
    'error.user_not_found': 'Slack ne connaît pas cette personne.',
    'error.messages_tab_disabled': 'L’onglet Messages de l’application est désactivé.',
    'error.not_enabled': 'L’onglet Accueil de l’application est désactivé.',
    'error.slack': 'Slack a rencontré un problème.',
    'error.unknown': 'Cela n’a pas fonctionné. L’équipe qui gère {app} peut en trouver la raison.',
    'failure.nothing': 'Rien n’a été installé',
    'failure.nothingYet': 'Rien n’a encore été installé',
    'failure.notFinished': 'L’installation n’est pas terminée',
    'failure.noChange': 'Cette visite n’a rien changé',
    'failure.mayFinish': 'L’installation peut encore aboutir',
    'failure.mayBeUnfinished': 'L’installation n’est peut-être pas terminée',
    'failure.tokens.doubt':
      'Si Slack a tout de même ajouté {app}, une nouvelle installation règle le problème.',
    'failure.tokens.revoked':
      'Slack avait déjà accordé l’accès à votre espace de travail. Nous l’avons révoqué immédiatement.',
    'failure.tokens.kept':
      'Slack avait déjà accordé l’accès à votre espace de travail et nous n’avons pas encore pu le révoquer. Réinstaller règle le problème, tout comme retirer {app} dans la page de gestion des applications de Slack.',
    'failure.help': 'Toujours bloqué ? {contact} en indiquant la référence ci-dessous.',
    'failure.contact': 'Contacter l’assistance',
    'failure.helpUnlinked':
      'Toujours bloqué ? Demandez à l’équipe qui gère {app} en indiquant la référence ci-dessous.',
    'failure.helpPlain': 'Toujours bloqué ? {contact}.',
    'failure.helpPlainUnlinked': 'Toujours bloqué ? Demandez à l’équipe qui gère {app}.',
    'failure.question': 'Une question avant de vous décider ? {contact}.',
    'failure.questionUnlinked': 'Une question avant de vous décider ? Demandez à l’équipe qui gère {app}.',
    'failure.startAgain': 'Recommencer',
    'failure.tryAgain': 'Réessayer',
    'failure.startPage': 'Aller à la page d’accueil',
    'failure.continue': 'Continuer vers Slack',
    'failure.access_denied.title': 'Vous avez annulé, et c’est très bien',
    'failure.access_denied.what':
      'Vous avez refusé sur la page de Slack : rien n’a changé dans votre espace de travail.',
    'failure.access_denied.do':
      'Si vous avez changé d’avis, recommencez. Si un administrateur doit approuver les applications, la page de Slack permet d’envoyer une demande.',
    'failure.state_missing.title': 'Encore une étape pour terminer en sécurité',
    'failure.state_missing.what':
      'Vous venez directement des pages de Slack. {app} n’accepte que les installations commencées ici, afin que personne ne puisse connecter un espace de travail à votre place.',
    'failure.state_missing.do': 'Continuez : Slack vous demandera de confirmer encore une fois.',
    'failure.state_invalid.title': 'Ce lien est défectueux',
    'failure.state_invalid.what':
      'Le lien qui vous a ramené de Slack était incomplet ou modifié ; nous ne lui avons pas fait confiance.',
    'failure.state_invalid.do': 'Recommencez pour en obtenir un nouveau.',
    'failure.state_wrong_browser.title': 'Terminez dans le navigateur où vous avez commencé',
    'failure.state_wrong_browser.what':
      'Cette installation n’a pas commencé dans ce navigateur, ou celui-ci bloque notre cookie.',
    'failure.state_wrong_browser.do':
      'Autorisez les cookies de ce site si vous les bloquez, puis recommencez ici.',
    'failure.state_expired.title': 'Les dix minutes sont écoulées',
    'failure.state_expired.what':
      'Pour protéger votre espace de travail, une installation doit se terminer dans les dix minutes.',
    'failure.state_expired.do': 'Recommencez, et vous en avez dix de plus.',
    'failure.state_used.title': 'Ce lien a déjà servi',
    'failure.state_used.what':
      'Chaque lien d’installation ne sert qu’une fois. Si vous avez terminé la première fois, {app} est dans Slack et il ne reste rien à faire.',
    'failure.state_used.do': 'Sinon, recommencez.',
    'failure.code_missing.title': 'Slack vous a renvoyé trop tôt',
    'failure.code_missing.what': 'Vous êtes revenu de Slack sans son accord ; il n’y avait rien à terminer.',
    'failure.code_missing.do': 'Recommencez et cliquez sur « Autoriser » sur la page de Slack.',
    'failure.code_invalid.title': 'Slack n’accepte plus cette autorisation',
    'failure.code_invalid.what':
      'Une autorisation sert une seule fois, pendant quelques minutes. Celle-ci avait déjà servi ou avait expiré.',
    'failure.code_invalid.do': 'Recommencez pour en obtenir une nouvelle.',
    'failure.app_misconfigured.title': 'Cette application n’est pas bien configurée',
    'failure.app_misconfigured.what': 'Slack n’accepte pas les paramètres de {app}. Vous n’y êtes pour rien.',
    'failure.app_misconfigured.do':
      'L’équipe qui gère {app} doit corriger cela. D’ici là, réessayer ne sert à rien.',
    'failure.scope_invalid.title': 'Cette application demande une chose que Slack n’autorise pas',
    'failure.scope_invalid.what':
      'Slack refuse l’une des autorisations demandées par {app}. Vous n’y êtes pour rien.',
    'failure.scope_invalid.do':
      'L’équipe qui gère {app} doit corriger cela. D’ici là, réessayer ne sert à rien.',
    'failure.slack_unreachable.title': 'Slack est injoignable',
    'failure.slack_unreachable.what':
      'Slack n’a pas répondu, ou pas correctement. Cela passe généralement en quelques minutes.',
    'failure.slack_unreachable.do': 'Réessayez dans quelques minutes.',
    'failure.slack_refused.title': 'Slack a refusé',
    'failure.slack_refused.what':
      'Slack a refusé cette installation. Un administrateur a peut-être limité les applications autorisées.',
    'failure.slack_refused.do':
      'Demandez à un administrateur si les applications sont limitées, puis réessayez.',
    'failure.unapproved_scope.title': 'Votre organisation n’a pas encore approuvé cette application',
    'failure.unapproved_scope.what':
      'Un administrateur de votre organisation doit approuver ce que {app} peut faire avant toute installation.',
    'failure.unapproved_scope.do':
      'Demandez à un administrateur de votre organisation d’approuver {app}, puis recommencez.',
    'failure.app_not_distributed.title':
      'Cette application ne peut pas encore être installée dans votre espace de travail',
    'failure.app_not_distributed.what':
      '{app} n’est pas ouverte aux autres espaces de travail : sa distribution publique est désactivée chez Slack.',
    'failure.app_not_distributed.do':
      'L’équipe qui gère {app} peut l’activer. D’ici là, réessayer ne sert à rien.',
    'failure.slack_trouble.title': 'Slack rencontre un problème',
    'failure.slack_trouble.what':
      'Slack n’a pas pu traiter votre demande. Cela passe généralement en quelques minutes.',
    'failure.slack_trouble.do': 'Réessayez dans quelques minutes.',
    'failure.database_unavailable.title': 'Nous n’avons pas pu enregistrer votre installation',
    'failure.database_unavailable.what':
      'Notre base de données n’est pas disponible ; nous nous sommes arrêtés plutôt que de laisser les choses à moitié faites.',
    'failure.database_unavailable.do': 'Réessayez dans quelques minutes.',
    'failure.temporarily_unavailable.title': 'Nous ne pouvons pas le vérifier pour le moment',
    'failure.temporarily_unavailable.what':
      'Notre base de données est momentanément indisponible. Ce qui était installé n’est pas perdu.',
    'failure.temporarily_unavailable.do': 'Réessayez dans quelques minutes.',
    'failure.took_too_long.title': 'Cela prend plus de temps que prévu',
    'failure.took_too_long.what':
      'Nous n’avons pas reçu de réponse à temps et ne voulions pas vous faire attendre.',
    'failure.took_too_long.do':
      'Cherchez {app} dans Slack dans une minute. Si elle n’y est pas, réessayez : installer deux fois ne pose aucun problème.',
    'failure.not_found.title': 'Il n’y a rien à cette adresse',
    'failure.not_found.what': 'Le lien est peut-être ancien, ou il en manque une partie.',
    'failure.not_found.do': 'Vérifiez l’adresse ou allez à la page d’accueil.',
    'failure.progress_expired.title': 'Cette page n’est plus disponible',
    'failure.progress_expired.what':
      'La progression d’une installation n’est visible ici que pendant un temps limité.',
    'failure.progress_expired.do':
      'Si l’installation est terminée, {app} est dans Slack : son onglet Accueil montre tout.',
    'failure.method_not_allowed.title': 'Cela ne fonctionne pas ici',
    'failure.method_not_allowed.what':
      'Cette adresse ne répond pas au type de requête envoyé par votre navigateur.',
    'failure.method_not_allowed.do': 'Allez à la page d’accueil et suivez les liens.',
    'failure.payload_too_large.title': 'C’était trop à la fois',
    'failure.payload_too_large.what': 'La requête dépassait la taille acceptée ; nous ne l’avons pas lue.',
    'failure.payload_too_large.do': 'Allez à la page d’accueil et suivez les liens.',
    'failure.internal.title': 'Un problème est survenu de notre côté',
    'failure.internal.what':
      'Vous n’y êtes pour rien. L’erreur est dans notre journal, et l’équipe qui gère {app} peut la consulter.',
    'failure.internal.do': 'Réessayez dans une minute.',
    'failure.thatAddress': 'Aller à cette adresse',
    'failure.too_many_requests.title': 'Trop de tentatives',
    'failure.too_many_requests.what':
      'Nous avons reçu plus de tentatives d’installation que nous n’en acceptons à la fois ; celle-ci n’a pas commencé. Rien n’a changé dans votre espace de travail.',
    'failure.too_many_requests.do':
      'Réessayez dans {unit, select, minutes {{count, plural, one {# minute} other {# minutes}}} other {{count, plural, one {# seconde} other {# secondes}}}}.',
    'failure.maintenance.title': 'Les installations sont interrompues un moment',
    'failure.maintenance.what':
      '{app} est en maintenance. Les espaces de travail qui l’ont déjà ne sont pas touchés.',
    'failure.maintenance.do':
      'Réessayez dans quelques minutes. Si vous venez d’autoriser {app} dans Slack, recharger cette page termine l’installation.',
    'failure.wrong_host.title': 'Utilisez l’adresse propre de cette page',
    'failure.wrong_host.what':
      'Vous avez atteint {app} sous un autre nom d’hôte. Pour protéger votre session, cette page ne s’ouvre qu’à sa propre adresse.',
    'failure.wrong_host.do': 'Continuez à cette adresse.',
    'failure.notSignedIn': 'Vous n’êtes pas connecté',
    'failure.signin_cancelled.title': 'Vous avez annulé la connexion',
    'failure.signin_cancelled.what':
      'Vous avez refusé sur la page de Slack : Slack ne nous a pas dit qui vous êtes.',
    'failure.signin_cancelled.do': 'Si vous avez changé d’avis, réessayez.',
    'failure.signin_state.title': 'Cette connexion ne peut pas aboutir',
    'failure.signin_state.what':
      'Elle a commencé dans un autre navigateur ou il y a plus de dix minutes, ou elle a déjà abouti.',
    'failure.signin_state.do':
      'Réessayez dans ce navigateur. S’il bloque les cookies, autorisez-les d’abord pour ce site.',
    'failure.signin_return.title': 'Nous ne savons pas où mène ce lien',
    'failure.signin_return.what':
      'Il nous demande de vous envoyer vers un autre site après la connexion, et nous ne connaissons pas ce site.',
    'failure.signin_return.do':
      'Ouvrez la page d’où vous venez et connectez-vous de nouveau depuis celle-ci.',
    'failure.signin_refused.title': 'Slack a refusé la connexion',
    'failure.signin_refused.what':
      'Slack ne vous a pas laissé vous connecter à {app}. Un administrateur de votre espace de travail a peut-être limité cela.',
    'failure.signin_refused.do': 'Demandez à un administrateur de votre espace de travail, puis réessayez.',
    'failure.signin_untrusted.title': 'Nous n’avons pas pu confirmer votre identité',
    'failure.signin_untrusted.what':
      'La réponse de Slack n’a pas passé nos vérifications ; nous ne lui avons donc pas fait confiance.',
    'failure.signin_untrusted.do': 'Réessayez. Si cela se reproduit, prévenez l’équipe qui gère {app}.',
    'failure.signin_unreachable.title': 'Slack est injoignable pour vous connecter',
    'failure.signin_unreachable.what':
      'Slack n’a pas répondu, ou pas correctement. Cela passe généralement en quelques minutes.',
    'failure.signin_unreachable.do': 'Réessayez dans quelques minutes.',
    'failure.signin_misconfigured.title': 'La connexion avec Slack n’est pas bien configurée',
    'failure.signin_misconfigured.what':
      'Slack n’accepte pas les paramètres de {app}. Vous n’y êtes pour rien.',
    'failure.signin_misconfigured.do':
      'L’équipe qui gère {app} doit corriger cela. D’ici là, réessayer ne sert à rien.',
    'failure.signin_not_installed.title':
      'Vous pourrez vous connecter quand {app} sera dans votre espace de travail',
    'failure.signin_not_installed.what':
      'Slack a confirmé votre identité, mais seuls les membres d’un espace de travail où {app} est installée peuvent se connecter ici.',
    'failure.signin_not_installed.do':
      'Ajoutez {app} à votre espace de travail ou demandez-le à un administrateur. Puis connectez-vous de nouveau.',
    'failure.signin_not_operator.title': 'Ces pages sont réservées à l’équipe qui gère l’application',
    'failure.signin_not_operator.what':
      'Slack a confirmé votre identité, mais vous n’êtes pas sur la liste des personnes qui gèrent {app}.',
    'failure.signin_not_operator.do':
      'Si vous devriez y être, adressez-vous à l’équipe qui gère {app}. Vous pouvez aussi réessayer avec un autre compte.',
    'failure.signin_limited.title': 'Trop de connexions à la fois',
    'failure.signin_limited.what':
      'Nous avons reçu plus de connexions que nous n’en acceptons à la fois ; celle-ci n’a pas commencé.',
    'failure.signin_limited.do':
      'Réessayez dans {unit, select, minutes {{count, plural, one {# minute} other {# minutes}}} other {{count, plural, one {# seconde} other {# secondes}}}}.',
    'failure.erase_unreachable.title': 'Vos données n’ont pas été effacées',
    'failure.erase_unreachable.what':
      'Slack n’a pas confirmé la révocation de votre propre connexion, nous n’avons donc rien effacé.',
    'failure.erase_unreachable.do': 'Allez à la page de départ et réessayez dans quelques minutes.',
    'failure.signout_refused.title': 'Déconnectez-vous depuis notre propre page',
    'failure.signout_refused.what':
      'La demande de déconnexion venait d’un autre site ; nous ne l’avons pas suivie.',
    'failure.signout_refused.do': 'Allez à la page d’accueil et déconnectez-vous depuis celle-ci.',
    'landing.signIn': 'Vous utilisez déjà {app} ? Se connecter avec Slack',
    'record.signedIn': 'Connecté en tant que {person}',
    'record.signOut': 'Se déconnecter',
    'record.data': 'Vos données',
    'record.data.what':
      'Vous pouvez télécharger tout ce que {app} conserve à votre sujet, ou le faire effacer.',
    'record.data.export': 'Télécharger vos données',
    'record.data.erase': 'Effacer vos données',
    'record.data.erase.what':
      'Cela efface ici votre profil, vos sessions et votre propre connexion, sans retour possible. Si vous avez installé {app}, votre identifiant reste lié à l’installation.',
    'record.erased.title': 'Vos données sont effacées',
    'record.erased.what':
      '{app} ne conserve plus votre profil et vous êtes déconnecté. Si vous ouvrez l’application dans Slack ou vous reconnectez, elle vous enregistrera de nouveau.',
    'signin.button': 'Se connecter avec Slack',
    'signin.signedOut.title': 'Vous êtes déconnecté',
    'signin.signedOut.what':
      'Vous êtes déconnecté de {app} dans ce navigateur. Vous restez connecté à Slack.',
    'failure.link_invalid.title': 'Nous ne faisons pas confiance à ce lien',
    'failure.link_invalid.what': 'Le lien qui vous a amené ici est incomplet ou a été modifié.',
    'failure.link_invalid.do': 'Demandez-en un nouveau à la personne ou à la page qui vous l’a donné.',
    'failure.link_expired.title': 'Ce lien a expiré',
    'failure.link_expired.what': 'Les liens qui connectent un espace de travail ont une durée limitée.',
    'failure.link_expired.do': 'Demandez-en un nouveau à la personne ou à la page qui vous l’a donné.',
    'failure.link_used.title': 'Ce lien a déjà connecté un espace de travail',
    'failure.link_used.what': 'Chaque lien connecte un seul espace de travail, et celui-ci a déjà servi.',
    'failure.link_used.do': 'Pour connecter un autre espace de travail, demandez un nouveau lien.',
    'failure.form_expired.title': 'Ouvrez de nouveau la page',
    'failure.form_expired.what':
      'Cette page est restée ouverte trop longtemps, a été ouverte dans un autre navigateur, ou celui-ci bloque notre cookie.',
    'failure.form_expired.do': 'Revenez en arrière, rechargez la page et réessayez dans la demi-heure.',
    'failure.gate_refused.title': '{app} ne peut pas être installée ici',
    'failure.gate_refused.what':
      '{reason, select, none {{app} n’accepte pas d’installation depuis cet espace de travail.} other {{reason}}}',
    'failure.gate_refused.do': 'Si vous pensez que c’est une erreur, demandez à l’équipe qui gère {app}.',
    'failure.gate_failed.title': 'Nous n’avons pas pu vérifier cette installation',
    'failure.gate_failed.what':
      '{app} vérifie chaque installation avant de l’enregistrer ; cette vérification a échoué ou a pris trop de temps.',
    'failure.gate_failed.do': 'Réessayez dans quelques minutes.',
    'failure.already_connected.title': 'Cet espace de travail est déjà connecté',
    'failure.already_connected.what':
      'L’espace de travail est connecté à un autre compte de {app} ; nous ne l’avons pas connecté à celui-ci.',
    'failure.already_connected.do':
      'Si les deux comptes sont à vous, déconnectez-le d’abord de l’autre. Sinon, demandez à un administrateur de l’espace de travail.',
    'failure.other_workspace.title': 'Vous avez choisi un autre espace de travail',
    'failure.other_workspace.what':
      'Ce lien est destiné à un espace de travail précis, et vous en avez choisi un autre chez Slack.',
    'failure.other_workspace.do':
      'Ouvrez de nouveau le lien et choisissez le bon en haut à droite de la page de Slack.',
    'failure.not_installed.title': 'Votre espace de travail n’a pas encore {app}',
    'failure.not_installed.what':
      'Vous ne pouvez connecter votre compte que dans un espace de travail où {app} est installée.',
    'failure.not_installed.do':
      'Ajoutez {app} à votre espace de travail ou demandez à un administrateur de le faire. Connectez ensuite de nouveau votre compte.',
    'member.title': 'Votre compte est connecté',
    'member.what':
      '{app} peut désormais agir en votre nom. Vous pouvez déconnecter votre compte à tout moment dans l’onglet Accueil de {app} dans Slack.',
    'connect.title': 'Connecter votre espace de travail Slack ?',
    'connect.what': 'L’espace de travail que vous choisirez chez Slack sera connecté à ce compte de {app} :',
    'connect.warning':
      'Ne continuez que si vous connaissez ce compte et faites confiance à la personne qui vous a envoyé le lien. Tous ceux qui utilisent le compte pourront alors travailler avec l’espace de travail via {app}.',
    'connect.continue': 'Continuer vers Slack',
    'connect.cancel': 'Annuler',
    'connect.unnamed': 'un compte sans nom',
    'connect.move.title': 'Déplacer cet espace de travail ?',
    'connect.move.what':
      '{place} est déjà connecté à un autre compte de {app}. Vous pouvez le déplacer vers celui-ci :',
    'connect.move.warning':
      'L’autre compte perd l’espace de travail. Slack vous demandera de confirmer encore une fois.',
    'connect.move.thisWorkspace': 'Cet espace de travail',
    'connect.move.button': 'Déplacer',
    'connect.finish': 'Terminer la connexion',
    'welcome.connect':
      '*Il reste une étape.* Connectez cet espace de travail à votre compte. Le bouton fonctionne une heure ; ensuite, l’onglet Accueil en a un nouveau.',
    'home.state.unconnected':
      '○  *Pas encore connecté.* Il reste une étape : connectez cet espace de travail à votre compte.',
    'failure.unknown': 'Nous ne savons pas encore si elle a été enregistrée',
    'failure.lookAgain': 'Regarder de nouveau',
    'failure.outcome_unknown.title': 'Nous vérifions votre installation',
    'failure.outcome_unknown.what':
      'Notre base de données est tombée en panne pendant l’enregistrement de votre installation. Dès qu’elle sera de nouveau disponible, nous vérifierons ce qui a été enregistré.',
    'failure.outcome_unknown.do':
      'Regardez de nouveau dans quelques minutes. D’ici là, {app} sera installée et sa configuration continuera, ou nous aurons révoqué l’accès accordé par Slack et vous pourrez recommencer.',
    'welcome.greeting':
      'Bonjour {person}, merci d’avoir installé *{app}*{place, select, none {} other { dans *{place}*}}.',
    'welcome.action':
      '*Pour commencer :* ouvrez l’onglet Accueil de {app} pour voir ce qu’elle peut faire et comment la configuration s’est passée.',
    'welcome.button': 'Ouvrir {app}',
    'welcome.why': 'Vous seul recevez ce message, car vous avez installé {app}.',
    'home.title': '{app} dans {place}',
    'home.help': 'Obtenir de l’aide',
    'home.times': 'Les heures sont dans votre fuseau horaire.',
    'home.reference': 'Référence : {id}',
    'home.section.failed': 'Cette partie ne peut pas être affichée pour le moment.',
    'home.section.cut': 'Tout ne tient pas ici.',
    'home.state.removed': '✕  *Retirée.* {app} n’est plus installée ici.',
    'home.state.broken':
      '✕  *{app} a perdu son accès.* Slack n’accepte plus son jeton{reason, select, none {} other { ({reason})}}. Réinstallez-la pour y remédier. Cet historique est conservé.',
    'home.state.settingUp':
      '◐  *Configuration en cours.* {app} est installée {org, select, yes {pour toute l’organisation} other {dans cet espace de travail}}. Les premières étapes sont en cours.',
    'home.state.waitingForWorkspace':
      '◐  *En attente d’un espace de travail.* {app} est installée pour toute l’organisation mais n’est encore dans aucun espace de travail. Un administrateur l’ajoute : pages d’administration de Slack, « Integrations », « Installed apps », {app}, puis « Add to more workspaces ». La configuration reprend alors automatiquement.',
    'home.state.waiting':
      '◐  *Presque terminé.* {app} est installée {org, select, yes {pour toute l’organisation} other {dans cet espace de travail}}. Une étape est en attente et reprendra automatiquement.',
    'home.state.question':
      '◐  *En attente d’une réponse.* {app} est installée {org, select, yes {pour toute l’organisation} other {dans cet espace de travail}} et a posé une question à la personne qui l’a installée.',
    'home.state.failed':
      '✕  *La configuration est incomplète.* {app} est installée {org, select, yes {pour toute l’organisation} other {dans cet espace de travail}}, mais une partie a échoué.',
    'home.state.permissions':
      '✕  *Des autorisations manquent.* {app} est installée {org, select, yes {pour toute l’organisation} other {dans cet espace de travail}}, mais certaines choses ne fonctionneront qu’une fois accordées.',
    'home.state.unconfirmed':
      '?  *Configurée, mais tout n’est pas confirmé.* {app} est installée {org, select, yes {pour toute l’organisation} other {dans cet espace de travail}} et fonctionne.',
    'home.state.ready':
      '✓  *Tout est en place.* {app} est installée {org, select, yes {pour toute l’organisation} other {dans cet espace de travail}} et prête.',
    'home.state.installed':
      '✓  *Installée.* {app} est installée {org, select, yes {pour toute l’organisation} other {dans cet espace de travail}}.',
    'home.fact.workspace': 'Espace de travail',
    'home.fact.organization': 'Organisation',
    'home.fact.installedBy': 'Installée par',
    'home.fact.installed': 'Installée',
    'home.setup': 'Configuration',
    'home.setup.none': 'Aucune configuration n’a encore eu lieu.',
    'home.setup.queued': 'Sur le point de commencer',
    'home.setup.running': 'En cours depuis {time}',
    'home.setup.waitingForWorkspace': 'En attente qu’un administrateur ajoute {app} à un espace de travail',
    'home.setup.waiting': 'En attente de reprise',
    'home.setup.continues': 'Reprise : {time}',
    'home.setup.succeeded': 'Terminée : {time}',
    'home.setup.failed': 'Arrêtée : {time}. Tout n’a pas fonctionné.',
    'home.setup.cancelled': 'Arrêtée : {time}, avant la fin',
    'home.step.todo': 'à faire',
    'home.step.running': 'en cours',
    'home.step.next': 'prochain essai {time}',
    'home.step.nextSoon': 'prochain essai bientôt',
    'home.step.nextTry': 'prochain essai {time}, après {count, plural, one {# essai} other {# essais}}',
    'home.step.nextTrySoon': 'prochain essai bientôt, après {count, plural, one {# essai} other {# essais}}',
    'home.step.afterAttempts': 'après {count, plural, one {# essai} other {# essais}}',
    'home.step.failed': 'échec après {count, plural, one {# essai} other {# essais}}',
    'home.step.skipped': 'ignorée',
    'home.step.unconfirmed': 'non confirmée',
    'home.step.welcomeNote':
      'Le message est peut-être arrivé : la connexion a été coupée pendant l’envoi. Il n’est renvoyé que si vous le demandez.',
    'home.step.unconfirmedNote': 'Cette étape a peut-être réussi, mais on ne peut pas le vérifier.',
    'home.step.more':
      '{count, plural, one {# autre étape} other {# autres étapes}} non affichées ici, dont {done, number} terminées.',
    'home.retry': 'Réessayer',
    'home.sendWelcome': 'Renvoyer le message de bienvenue',
    'home.sendWelcome.title': 'Renvoyer ?',
    'home.sendWelcome.text':
      'La personne qui a installé l’application recevra encore une fois le message de bienvenue.',
    'home.sendWelcome.doubt': 'Le premier est peut-être arrivé. Il y en aura alors deux.',
    'home.sendWelcome.confirm': 'Envoyer',
    'home.sendWelcome.cancel': 'Annuler',
    'home.question.intro':
      '*{app} a une question pour vous.* La configuration continue dès que vous répondez.',
    'home.question.reminder': '*Rappel :* {app} attend toujours votre réponse.',
    'home.question.label': 'Votre réponse',
    'home.question.send': 'Envoyer la réponse',
    'home.question.answered': '✓  {who} a répondu : {answer}',
    'home.question.closed': 'Cette question est close : aucune réponse n’est nécessaire.',
    'home.question.invalid':
      'Cette réponse ne peut pas être utilisée. Fermez cette fenêtre, choisissez ou écrivez une réponse, puis appuyez de nouveau sur le bouton.',
    'home.setup.question': 'En attente d’une réponse',
    'home.askAdmin': 'La personne qui a installé {app}, ou un administrateur, peut réessayer ici.',
    'home.account': 'Votre compte',
    'home.account.offer':
      '{app} peut aussi agir en votre nom. Si vous connectez votre compte, l’application pourra :',
    'home.account.connect': 'Connecter mon compte',
    'home.account.connected': '✓  *Votre compte est connecté.* En votre nom, {app} peut :',
    'home.account.disconnect': 'Déconnecter',
    'home.account.disconnect.title': 'Déconnecter votre compte ?',
    'home.account.disconnect.text': '{app} ne pourra plus agir en votre nom. L’application reste installée.',
    'home.permissions': 'Ce que {app} peut faire',
    'home.permissions.missing':
      '✕  *{count, plural, one {# autorisation manque} other {# autorisations manquent}}.* Certaines choses ne fonctionnent pas tant {count, plural, one {qu’elle n’est pas accordée} other {qu’elles ne sont pas accordées}}.',
    'home.permissions.granted': '*Accordées*',
    'home.permissions.nothing': 'Aucune autorisation n’a été accordée.',
    'home.permissions.declined':
      '*Non accordé.* C’est facultatif : seul ce qui en a besoin ne fonctionne pas.',
    'home.permissions.more':
      '{count, plural, one {# autre autorisation} other {# autres autorisations}} non affichées ici.',
    'home.permissions.update': 'Mettre à jour les autorisations',
    'home.installAgain': 'Réinstaller',
    'home.you': 'Vous',
    'home.you.name': 'Nom',
    'home.you.email': 'E-mail',
    'home.you.timeZone': 'Fuseau horaire',
    'home.you.kept': 'Voici ce que {app} conserve sur vous, depuis {time}. Vous seul voyez cette partie.',
    'home.you.picture': 'Votre photo de profil',
    'home.history': 'Historique',
    'home.history.older': 'Les entrées plus anciennes ne sont pas affichées ici.',
    'home.history.installed': 'Installée{who, select, none {} other { par {who}}}',
    'home.history.reinstalled': 'Réinstallée{who, select, none {} other { par {who}}}',
    'home.history.user_authorized':
      '{who, select, none {Un compte a été connecté} other {{who} a connecté son compte}}',
    'home.history.uninstalled': 'Retirée',
    'home.history.tokens_revoked':
      '{who, select, none {L’accès a été révoqué} other {L’accès de {who} a été révoqué}}',
    'home.history.token_died': 'Slack n’accepte plus le jeton',
    'home.history.token_works': 'Slack accepte de nouveau le jeton',
    'home.history.access_granted': 'Ajoutée à un espace de travail',
    'home.history.access_revoked': 'Retirée d’un espace de travail',
    'home.history.run_succeeded': 'Configuration terminée',
    'home.history.run_failed': 'Configuration arrêtée, tout n’a pas fonctionné',
    'home.history.run_cancelled': 'Configuration arrêtée',
    'home.history.run_retried': 'Configuration retentée{who, select, none {} other { par {who}}}',
    'home.history.uninstall_run_succeeded': 'Nettoyage terminé',
    'home.history.uninstall_run_failed': 'Nettoyage arrêté, tout n’a pas fonctionné',
    'home.history.welcome_requested':
      'Nouveau message de bienvenue demandé{who, select, none {} other { par {who}}}',
    'home.history.connected': 'Liée à un compte{who, select, none {} other { par {who}}}',
    'home.history.disconnected': 'Dissociée du compte',
    'home.history.operator_action': 'L’équipe de l’application a fait une modification',
  },
  scopes: frScopes.scopes,
  userScopes: frScopes.userScopes,
  steps: {
    'register-team': {
      todo: 'Enregistrer l’espace de travail',
      doing: 'Enregistrement de votre espace de travail',
    },
    'register-user': { todo: 'Enregistrer l’installateur', doing: 'Enregistrement de votre compte' },
    'fetch-profile': { todo: 'Lire le profil', doing: 'Lecture de votre profil' },
    'send-welcome': { todo: 'Envoyer le message de bienvenue', doing: 'Envoi de votre message de bienvenue' },
    'publish-home': { todo: 'Préparer l’onglet Accueil', doing: 'Préparation de l’onglet Accueil' },
  },
};
