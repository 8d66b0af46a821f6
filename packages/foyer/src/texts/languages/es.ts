import type { Translation } from './en.ts';
import { esScopes } from './es-scopes.ts';

/** Spanish. Not reviewed by a native speaker yet. */
export const es: Translation = {
  messages: {
    'page.privacy': 'Privacidad',
    'page.support': 'Soporte',
    'page.reference': 'Referencia',
    'page.yourWorkspace': 'su espacio de trabajo',
    'landing.title': 'Añadir {app} a Slack',
    'landing.madeBy': 'Creado por {publisher}',
    'landing.button': 'Añadir a Slack',
    'landing.next': 'Qué pasa después',
    'landing.next.consent': 'Slack pregunta qué espacio de trabajo usar y si está de acuerdo.',
    'landing.next.setup': 'Vuelve aquí y ve cómo termina la configuración. Tarda unos segundos.',
    'landing.next.welcome': '{app} envía un único mensaje de bienvenida, solo a usted.',
    'landing.permissions': 'Qué puede hacer {app}',
    'landing.permissions.user': 'Qué puede hacer en su nombre',
    'landing.permissions.none': '{app} no pide ningún permiso.',
    'landing.optional': 'Opcional',
    'landing.reason': 'Por qué: {reason}',
    'landing.unknownScope': 'Un permiso sin descripción aquí',
    'landing.enforced': 'Slack hace cumplir esta lista y se la muestra de nuevo antes de que acepte.',
    'landing.approval': 'Si un administrador debe aprobar las apps, envíele este enlace:',
    'landing.questions': '¿Preguntas? Contacte con {publisher}',
    'progress.connecting.title': 'Conectando con Slack',
    'progress.connecting.message':
      'Slack le ha devuelto a nosotros y le estamos pidiendo acceso. Tarda un momento.',
    'progress.notInstalled.title': '{app} no se instaló',
    'progress.notInstalled.message':
      'Algo salió mal antes de guardar la instalación. No se configuró nada. Inténtelo de nuevo.',
    'progress.busy.title': 'Configurando {app}',
    'progress.busy.message': '{app} está instalada en {place}. Los últimos pasos tardan unos segundos.',
    'progress.retrying.title': 'Aún configurando {app}',
    'progress.retrying.message':
      '{app} está instalada en {place}. Un paso aún no ha funcionado y se reintentará automáticamente.',
    'progress.waiting.title': 'Falta una cosa por hacer en Slack',
    'progress.waiting.grant':
      '{app} está instalada para {place}, pero ningún espacio de trabajo la tiene aún. Un administrador de la organización abre las páginas de administración de Slack, «Integrations» e «Installed apps», elige {app} y la añade a un espacio de trabajo. Después la configuración continúa automáticamente.',
    'progress.waiting.other':
      '{app} está instalada en {place}. La configuración continúa en cuanto Slack lo permita.',
    'progress.question.title': '{app} tiene una pregunta para usted',
    'progress.question.message':
      '{app} está instalada en {place} y le ha enviado una pregunta en Slack. La configuración continúa cuando responda.',
    'progress.question.here':
      '{app} está instalada en {place}. La configuración continúa cuando responda, aquí o en Slack.',
    'progress.question.channel': 'Responda en Slack: solo allí se puede elegir un canal.',
    'progress.question.elsewhere':
      'Responda en Slack. En la web solo se puede responder en el navegador en el que se instaló {app}.',
    'progress.question.answered': 'Esta pregunta ya se respondió. Cuenta la primera respuesta.',
    'progress.question.invalid':
      'Esta respuesta no se puede usar. Elija o escriba una respuesta y envíela de nuevo.',
    'progress.done.title': 'Todo listo',
    'progress.done.message': '{app} está lista en {place}.',
    'progress.done.welcomed': 'Allí le espera un mensaje de bienvenida.',
    'progress.done.unconfirmed': 'No pudimos confirmar que su mensaje de bienvenida llegó.',
    'progress.failed.title': '{app} está instalada, pero la configuración no está completa',
    'progress.failed.message':
      '{count, plural, one {Un paso} other {# pasos}} de la configuración no {count, plural, one {funcionó} other {funcionaron}}. {app} está en {place}. Abra su pestaña Inicio en Slack: muestra qué pasó y permite intentarlo de nuevo.',
    'progress.cancelled.title': 'Esta configuración se detuvo',
    'progress.cancelled.uninstall':
      '{app} se quitó de {place} antes de que terminara la configuración. Ya no tiene acceso.',
    'progress.cancelled.unknown':
      'La configuración de {app} en {place} se detuvo antes de terminar, por ejemplo porque se revocó el acceso de {app}. Para completarla, instale {app} de nuevo.',
    'progress.removed.title': '{app} se quitó',
    'progress.removed.message': '{app} se quitó de {place} después de instalarla. Ya no tiene acceso.',
    'progress.replaced.title': 'Una instalación más reciente tomó el relevo',
    'progress.replaced.message':
      '{app} se instaló de nuevo en {place}. Esa instalación termina la configuración.',
    'progress.mayClose': 'Puede cerrar esta página. La configuración continúa en segundo plano.',
    'progress.offline':
      'Esta página no puede comunicarse con nosotros ahora. Se actualizará automáticamente en cuanto pueda. Si nuestro servidor está caído, la configuración continuará cuando vuelva a funcionar.',
    'progress.steps': 'Pasos de la configuración',
    'progress.steps.done': 'Configuración completa',
    'progress.steps.details': 'Detalles de la configuración',
    'progress.next': 'Qué hacer ahora',
    'progress.open': 'Abrir en Slack',
    'progress.openDesktop': 'Abrir la app de Slack',
    'progress.startAgain': 'Empezar de nuevo',
    'step.status.pending': 'Pendiente',
    'step.status.running': 'En curso',
    'step.status.retrying': 'Reintentando',
    'step.status.succeeded': 'Hecho',
    'step.status.failed': 'Falló',
    'step.status.skipped': 'Omitido',
    'step.status.unconfirmed': 'Sin confirmar',
    'step.status.waiting': 'En espera',
    'step.status.stopped': 'Detenido',
    'step.note.attempt': 'Intento {count, number}.',
    'step.note.retrying': 'Se reintentará automáticamente.',
    'step.note.unconfirmed': 'Puede que haya funcionado, pero no pudimos confirmarlo.',
    'step.note.welcome':
      'Puede que haya llegado. Busque {app} en Slack. Su pestaña Inicio puede enviarlo de nuevo.',
    'step.note.skipped': 'Esta vez no hizo falta.',
    'error.missing_scope': 'Slack indica que falta un permiso.',
    'error.rate_limited': 'Slack pidió una pausa.',
    'error.timeout': 'Slack no respondió a tiempo.',
    'error.connection_failed': 'No se pudo contactar con Slack.',
    'error.malformed_answer': 'La respuesta de Slack no se pudo leer.',
    'error.token': 'Slack ya no acepta el token de la app.',
    'error.user_not_found': 'Slack no conoce a esta persona.',
    'error.messages_tab_disabled': 'La pestaña Mensajes de la app está desactivada.',
    'error.not_enabled': 'La pestaña Inicio de la app está desactivada.',
    'error.slack': 'Slack tuvo un problema.',
    'error.unknown': 'No funcionó. El equipo que gestiona {app} puede averiguar por qué.',
    'failure.nothing': 'No se instaló nada',
    'failure.nothingYet': 'Aún no se ha instalado nada',
    'failure.notFinished': 'La instalación no terminó',
    'failure.noChange': 'Esta visita no cambió nada',
    'failure.mayFinish': 'La instalación aún puede terminar',
    'failure.mayBeUnfinished': 'Puede que la instalación no haya terminado',
    'failure.tokens.doubt': 'Si Slack añadió {app} de todos modos, instalarla de nuevo lo arregla.',
    'failure.tokens.revoked':
      'Slack ya había concedido acceso a su espacio de trabajo. Lo revocamos de inmediato.',
    'failure.tokens.kept':
      'Slack ya había concedido acceso a su espacio de trabajo y aún no pudimos revocarlo. Instalar de nuevo lo arregla; también quitar {app} en la página de gestión de apps de Slack.',
    'failure.help': '¿Sigue sin funcionar? {contact} e incluya la referencia de abajo.',
    'failure.contact': 'Contactar con soporte',
    'failure.helpUnlinked':
      '¿Sigue sin funcionar? Pregunte al equipo que gestiona {app} e incluya la referencia de abajo.',
    'failure.helpPlain': '¿Sigue sin funcionar? {contact}.',
    'failure.helpPlainUnlinked': '¿Sigue sin funcionar? Pregunte al equipo que gestiona {app}.',
    'failure.question': '¿Tiene alguna pregunta? {contact}.',
    'failure.questionUnlinked': '¿Tiene alguna pregunta? Pregunte al equipo que gestiona {app}.',
    'failure.startAgain': 'Empezar de nuevo',
    'failure.tryAgain': 'Intentar de nuevo',
    'failure.startPage': 'Ir a la página de inicio',
    'failure.continue': 'Continuar a Slack',
    'failure.access_denied.title': 'Ha cancelado, y no pasa nada',
    'failure.access_denied.what':
      'Usted rechazó en la página de Slack, así que nada ha cambiado en su espacio de trabajo.',
    'failure.access_denied.do':
      'Si ha cambiado de idea, empiece de nuevo. Si un administrador debe aprobar las apps, la página de Slack permite enviar una solicitud.',
    'failure.state_missing.title': 'Un paso más para terminar con seguridad',
    'failure.state_missing.what':
      'Ha llegado directamente desde las páginas de Slack. {app} solo acepta instalaciones que empiezan aquí, para que nadie pueda conectar un espacio de trabajo en su nombre.',
    'failure.state_missing.do': 'Continúe, y Slack le pedirá que confirme una vez más.',
    'failure.state_invalid.title': 'Este enlace está roto',
    'failure.state_invalid.what':
      'El enlace que le trajo desde Slack estaba incompleto o modificado, así que no confiamos en él.',
    'failure.state_invalid.do': 'Empiece de nuevo para obtener uno nuevo.',
    'failure.state_wrong_browser.title': 'Termine en el navegador en el que empezó',
    'failure.state_wrong_browser.what':
      'Esta instalación no empezó en este navegador, o el navegador bloquea nuestra cookie.',
    'failure.state_wrong_browser.do':
      'Permita las cookies de este sitio si las bloquea y empiece de nuevo aquí.',
    'failure.state_expired.title': 'Los diez minutos han pasado',
    'failure.state_expired.what':
      'Para proteger su espacio de trabajo, una instalación debe terminar en diez minutos.',
    'failure.state_expired.do': 'Empiece de nuevo y tendrá otros diez.',
    'failure.state_used.title': 'Este enlace ya se usó',
    'failure.state_used.what':
      'Cada enlace de instalación funciona una vez. Si terminó la primera vez, encontrará {app} en Slack y no queda nada por hacer.',
    'failure.state_used.do': 'Si no, empiece de nuevo.',
    'failure.code_missing.title': 'Slack le devolvió demasiado pronto',
    'failure.code_missing.what': 'Volvió de Slack sin su aprobación, así que no había nada que terminar.',
    'failure.code_missing.do': 'Empiece de nuevo y pulse «Permitir» en la página de Slack.',
    'failure.code_invalid.title': 'Slack ya no acepta esta aprobación',
    'failure.code_invalid.what':
      'Una aprobación funciona una vez y solo durante unos minutos. Esta ya se había usado o había caducado.',
    'failure.code_invalid.do': 'Empiece de nuevo para obtener otra.',
    'failure.app_misconfigured.title': 'Esta app no está bien configurada',
    'failure.app_misconfigured.what':
      'Slack no acepta la configuración de {app}. Usted no ha hecho nada mal.',
    'failure.app_misconfigured.do':
      'El equipo que gestiona {app} debe corregirlo. Hasta entonces, intentarlo de nuevo no ayuda.',
    'failure.scope_invalid.title': 'Esta app pide algo que Slack no permite',
    'failure.scope_invalid.what':
      'Slack rechaza uno de los permisos que pide {app}. Usted no ha hecho nada mal.',
    'failure.scope_invalid.do':
      'El equipo que gestiona {app} debe corregirlo. Hasta entonces, intentarlo de nuevo no ayuda.',
    'failure.slack_unreachable.title': 'No pudimos contactar con Slack',
    'failure.slack_unreachable.what': 'Slack no respondió, o no como debía. Suele pasar en unos minutos.',
    'failure.slack_unreachable.do': 'Inténtelo de nuevo en unos minutos.',
    'failure.slack_refused.title': 'Slack dijo que no',
    'failure.slack_refused.what':
      'Slack rechazó esta instalación. Puede que un administrador haya restringido qué apps se pueden añadir.',
    'failure.slack_refused.do':
      'Pregunte a un administrador si las apps están restringidas e inténtelo de nuevo.',
    'failure.unapproved_scope.title': 'Su organización aún no ha aprobado esta app',
    'failure.unapproved_scope.what':
      'Un administrador de su organización debe aprobar lo que {app} puede hacer antes de que se pueda instalar.',
    'failure.unapproved_scope.do':
      'Pida a un administrador de su organización que apruebe {app} y empiece de nuevo.',
    'failure.app_not_distributed.title': 'Esta app aún no se puede instalar en su espacio de trabajo',
    'failure.app_not_distributed.what':
      '{app} no está abierta a otros espacios de trabajo: su distribución pública está desactivada en Slack.',
    'failure.app_not_distributed.do':
      'El equipo que gestiona {app} puede activarla. Hasta entonces, intentarlo de nuevo no ayuda.',
    'failure.slack_trouble.title': 'Slack tiene un problema ahora',
    'failure.slack_trouble.what': 'Slack no pudo completar su solicitud. Suele pasar en unos minutos.',
    'failure.slack_trouble.do': 'Inténtelo de nuevo en unos minutos.',
    'failure.database_unavailable.title': 'No pudimos guardar su instalación',
    'failure.database_unavailable.what':
      'Nuestra base de datos no está disponible ahora, así que paramos en vez de dejar las cosas a medias.',
    'failure.database_unavailable.do': 'Inténtelo de nuevo en unos minutos.',
    'failure.temporarily_unavailable.title': 'No podemos consultarlo ahora',
    'failure.temporarily_unavailable.what':
      'Nuestra base de datos no está disponible en este momento. Lo instalado antes no se ha perdido.',
    'failure.temporarily_unavailable.do': 'Inténtelo de nuevo en unos minutos.',
    'failure.took_too_long.title': 'Esto tarda más de lo debido',
    'failure.took_too_long.what': 'No recibimos respuesta a tiempo y no queríamos hacerle esperar.',
    'failure.took_too_long.do':
      'Busque {app} en Slack dentro de un minuto. Si no está, inténtelo de nuevo: instalar dos veces no causa problemas.',
    'failure.not_found.title': 'No hay nada en esta dirección',
    'failure.not_found.what': 'Puede que el enlace sea antiguo o que le falte una parte.',
    'failure.not_found.do': 'Compruebe la dirección o vaya a la página de inicio.',
    'failure.progress_expired.title': 'Esta página ya no está disponible',
    'failure.progress_expired.what': 'El progreso de una instalación se muestra aquí por tiempo limitado.',
    'failure.progress_expired.do':
      'Si la instalación terminó, {app} está en Slack: su pestaña Inicio muestra todo.',
    'failure.method_not_allowed.title': 'Eso no funciona aquí',
    'failure.method_not_allowed.what':
      'Esta dirección no responde al tipo de petición que envió su navegador.',
    'failure.method_not_allowed.do': 'Vaya a la página de inicio y siga los enlaces.',
    'failure.payload_too_large.title': 'Eso era demasiado de una vez',
    'failure.payload_too_large.what': 'La petición era mayor de lo que aceptamos, así que no la leímos.',
    'failure.payload_too_large.do': 'Vaya a la página de inicio y siga los enlaces.',
    'failure.internal.title': 'Algo salió mal por nuestra parte',
    'failure.internal.what':
      'Usted no ha hecho nada mal. El error está en nuestro registro y el equipo que gestiona {app} puede consultarlo.',
    'failure.internal.do': 'Inténtelo de nuevo en un minuto.',
    'failure.thatAddress': 'Ir a esa dirección',
    'failure.too_many_requests.title': 'Demasiados intentos',
    'failure.too_many_requests.what':
      'Recibimos más intentos de instalación de los que aceptamos a la vez, así que no iniciamos este. Nada ha cambiado en su espacio de trabajo.',
    'failure.too_many_requests.do':
      'Inténtelo de nuevo en {unit, select, minutes {{count, plural, one {# minuto} other {# minutos}}} other {{count, plural, one {# segundo} other {# segundos}}}}.',
    'failure.maintenance.title': 'Las instalaciones están en pausa un momento',
    'failure.maintenance.what':
      'Estamos haciendo tareas de mantenimiento en {app}. Los espacios de trabajo que ya la tienen no se ven afectados.',
    'failure.maintenance.do':
      'Inténtelo de nuevo en unos minutos. Si acaba de permitir {app} en Slack, volver a cargar esta página termina la instalación.',
    'failure.wrong_host.title': 'Use la dirección propia de esta página',
    'failure.wrong_host.what':
      'Llegó a {app} con otro nombre de host. Para proteger su sesión, esta página solo se abre en su propia dirección.',
    'failure.wrong_host.do': 'Continúe en esa dirección.',
    'failure.notSignedIn': 'No ha iniciado sesión',
    'failure.signin_cancelled.title': 'Ha cancelado el inicio de sesión',
    'failure.signin_cancelled.what':
      'Usted rechazó en la página de Slack, así que Slack no nos dijo quién es.',
    'failure.signin_cancelled.do': 'Si ha cambiado de idea, inténtelo de nuevo.',
    'failure.signin_state.title': 'Este inicio de sesión no se puede terminar',
    'failure.signin_state.what': 'Se empezó en otro navegador o hace más de diez minutos, o ya se terminó.',
    'failure.signin_state.do':
      'Inténtelo de nuevo en este navegador. Si bloquea las cookies, permítalas antes para este sitio.',
    'failure.signin_return.title': 'No sabemos adónde lleva este enlace',
    'failure.signin_return.what':
      'Nos pide que le enviemos a otro sitio después de iniciar sesión, y no conocemos ese sitio.',
    'failure.signin_return.do': 'Abra la página de la que viene e inicie sesión allí de nuevo.',
    'failure.signin_refused.title': 'Slack rechazó el inicio de sesión',
    'failure.signin_refused.what':
      'Slack no le dejó iniciar sesión en {app}. Puede que un administrador de su espacio de trabajo lo haya restringido.',
    'failure.signin_refused.do': 'Pregunte a un administrador de su espacio de trabajo e inténtelo de nuevo.',
    'failure.signin_untrusted.title': 'No pudimos confirmar quién es usted',
    'failure.signin_untrusted.what':
      'La respuesta de Slack no pasó nuestras comprobaciones, así que no confiamos en ella.',
    'failure.signin_untrusted.do':
      'Inténtelo de nuevo. Si vuelve a ocurrir, avise al equipo que gestiona {app}.',
    'failure.signin_unreachable.title': 'No pudimos contactar con Slack para iniciar sesión',
    'failure.signin_unreachable.what': 'Slack no respondió, o no como debía. Suele pasar en unos minutos.',
    'failure.signin_unreachable.do': 'Inténtelo de nuevo en unos minutos.',
    'failure.signin_misconfigured.title': 'El inicio de sesión con Slack no está bien configurado',
    'failure.signin_misconfigured.what':
      'Slack no acepta la configuración de {app}. Usted no ha hecho nada mal.',
    'failure.signin_misconfigured.do':
      'El equipo que gestiona {app} debe corregirlo. Hasta entonces, intentarlo de nuevo no ayuda.',
    'failure.signin_not_installed.title': 'Podrá iniciar sesión cuando {app} esté en su espacio de trabajo',
    'failure.signin_not_installed.what':
      'Slack confirmó quién es usted, pero aquí solo pueden iniciar sesión los miembros de un espacio de trabajo que tenga {app}.',
    'failure.signin_not_installed.do':
      'Añada {app} a su espacio de trabajo o pídaselo a un administrador. Después, inicie sesión de nuevo.',
    'failure.signin_not_operator.title': 'Estas páginas son para el equipo que gestiona la app',
    'failure.signin_not_operator.what':
      'Slack confirmó quién es usted, pero no está en la lista de personas que gestionan {app}.',
    'failure.signin_not_operator.do':
      'Si debería estarlo, pregunte al equipo que gestiona {app}. También puede intentarlo con otra cuenta.',
    'failure.signin_limited.title': 'Demasiados inicios de sesión a la vez',
    'failure.signin_limited.what':
      'Recibimos más inicios de sesión de los que aceptamos a la vez, así que no empezamos este.',
    'failure.signin_limited.do':
      'Inténtelo de nuevo en {unit, select, minutes {{count, plural, one {# minuto} other {# minutos}}} other {{count, plural, one {# segundo} other {# segundos}}}}.',
    'failure.erase_unreachable.title': 'Sus datos no se han borrado',
    'failure.erase_unreachable.what':
      'Slack no ha confirmado que su propia conexión se haya revocado, así que no hemos borrado nada.',
    'failure.erase_unreachable.do': 'Vaya a la página de inicio e inténtelo de nuevo en unos minutos.',
    'failure.signout_refused.title': 'Cierre la sesión en nuestra propia página',
    'failure.signout_refused.what':
      'La petición de cerrar su sesión vino de otro sitio, así que no la seguimos.',
    'failure.signout_refused.do': 'Vaya a la página de inicio y cierre la sesión allí.',
    'landing.signIn': '¿Ya usa {app}? Inicie sesión con Slack',
    'record.signedIn': 'Sesión iniciada como {person}',
    'record.signOut': 'Cerrar sesión',
    'record.data': 'Sus datos',
    'record.data.what': 'Puede descargar todo lo que {app} guarda sobre usted o hacer que se borre.',
    'record.data.export': 'Descargar sus datos',
    'record.data.erase': 'Borrar sus datos',
    'record.data.erase.what':
      'Esto borra aquí su perfil, sus sesiones y su propia conexión, y no se puede deshacer. Si usted instaló {app}, su identificador de usuario permanece con la instalación.',
    'record.erased.title': 'Sus datos se han borrado',
    'record.erased.what':
      '{app} ya no guarda su perfil y se ha cerrado su sesión. Si abre la aplicación en Slack o vuelve a iniciar sesión, se le registrará de nuevo.',
    'signin.button': 'Iniciar sesión con Slack',
    'signin.signedOut.title': 'Ha cerrado la sesión',
    'signin.signedOut.what':
      'Ha cerrado la sesión de {app} en este navegador. Sigue con la sesión iniciada en Slack.',
    'failure.link_invalid.title': 'No confiamos en este enlace',
    'failure.link_invalid.what': 'El enlace que le trajo aquí está incompleto o se modificó.',
    'failure.link_invalid.do': 'Pida uno nuevo a la persona o a la página que se lo dio.',
    'failure.link_expired.title': 'Este enlace ha caducado',
    'failure.link_expired.what':
      'Los enlaces que conectan un espacio de trabajo funcionan por tiempo limitado.',
    'failure.link_expired.do': 'Pida uno nuevo a la persona o a la página que se lo dio.',
    'failure.link_used.title': 'Este enlace ya conectó un espacio de trabajo',
    'failure.link_used.what': 'Cada enlace conecta un espacio de trabajo y este ya se usó.',
    'failure.link_used.do': 'Para conectar otro espacio de trabajo, pida un enlace nuevo.',
    'failure.form_expired.title': 'Abra la página de nuevo',
    'failure.form_expired.what':
      'Esta página estuvo abierta demasiado tiempo, se abrió en otro navegador o este navegador bloquea nuestra cookie.',
    'failure.form_expired.do': 'Vuelva atrás, recargue la página e inténtelo de nuevo antes de media hora.',
    'failure.gate_refused.title': '{app} no se puede instalar aquí',
    'failure.gate_refused.what':
      '{reason, select, none {{app} no acepta instalaciones de este espacio de trabajo.} other {{reason}}}',
    'failure.gate_refused.do': 'Si cree que es un error, pregunte al equipo que gestiona {app}.',
    'failure.gate_failed.title': 'No pudimos comprobar esta instalación',
    'failure.gate_failed.what':
      '{app} comprueba cada instalación antes de guardarla; esa comprobación falló o tardó demasiado.',
    'failure.gate_failed.do': 'Inténtelo de nuevo en unos minutos.',
    'failure.already_connected.title': 'Este espacio de trabajo ya está conectado',
    'failure.already_connected.what':
      'El espacio de trabajo está conectado a otra cuenta de {app}, así que no lo conectamos a esta.',
    'failure.already_connected.do':
      'Si ambas cuentas son suyas, desconéctelo primero en la otra. Si no, pregunte a un administrador del espacio de trabajo.',
    'failure.other_workspace.title': 'Eligió otro espacio de trabajo',
    'failure.other_workspace.what':
      'Este enlace es para un espacio de trabajo concreto y usted eligió otro en Slack.',
    'failure.other_workspace.do':
      'Abra el enlace de nuevo y elija el correcto en la esquina superior derecha de la página de Slack.',
    'failure.not_installed.title': 'Su espacio de trabajo aún no tiene {app}',
    'failure.not_installed.what': 'Solo puede conectar su cuenta en un espacio de trabajo que tenga {app}.',
    'failure.not_installed.do':
      'Añada {app} a su espacio de trabajo o pida a un administrador que la añada. Después, vuelva a conectar su cuenta.',
    'member.title': 'Su cuenta está conectada',
    'member.what':
      '{app} ya puede actuar en su nombre. Puede desconectar su cuenta en cualquier momento en la pestaña Inicio de {app} en Slack.',
    'connect.title': '¿Conectar su espacio de trabajo de Slack?',
    'connect.what': 'El espacio de trabajo que elija en Slack se conectará a esta cuenta de {app}:',
    'connect.warning':
      'Continúe solo si conoce esta cuenta y confía en quien le envió el enlace. Todos los que usan la cuenta podrán entonces trabajar con el espacio de trabajo mediante {app}.',
    'connect.continue': 'Continuar a Slack',
    'connect.cancel': 'Cancelar',
    'connect.unnamed': 'una cuenta sin nombre',
    'connect.move.title': '¿Mover este espacio de trabajo?',
    'connect.move.what': '{place} ya está conectado a otra cuenta de {app}. Puede moverlo a esta:',
    'connect.move.warning':
      'La otra cuenta pierde el espacio de trabajo. Slack le pedirá que confirme una vez más.',
    'connect.move.thisWorkspace': 'Este espacio de trabajo',
    'connect.move.button': 'Mover',
    'connect.finish': 'Terminar la conexión',
    'welcome.connect':
      '*Falta un paso.* Conecte este espacio de trabajo a su cuenta. El botón funciona una hora; después, la pestaña Inicio tiene uno nuevo.',
    'home.state.unconnected':
      '○  *Aún sin conectar.* Falta un paso: conecte este espacio de trabajo a su cuenta.',
    'failure.unknown': 'Aún no sabemos si se guardó',
    'failure.lookAgain': 'Mirar de nuevo',
    'failure.outcome_unknown.title': 'Estamos comprobando su instalación',
    'failure.outcome_unknown.what':
      'Nuestra base de datos falló mientras guardaba su instalación. En cuanto vuelva a estar disponible, comprobaremos qué se guardó.',
    'failure.outcome_unknown.do':
      'Mire de nuevo en unos minutos. Para entonces {app} estará instalada y su configuración continuará, o habremos revocado el acceso que concedió Slack y podrá empezar de nuevo.',
    'welcome.greeting':
      'Hola, {person}: gracias por instalar *{app}*{place, select, none {} other { en *{place}*}}.',
    'welcome.action':
      '*Empiece aquí:* abra la pestaña Inicio de {app} para ver qué puede hacer y cómo fue la configuración.',
    'welcome.button': 'Abrir {app}',
    'welcome.why': 'Solo usted recibe este mensaje, porque instaló {app}.',
    'home.title': '{app} en {place}',
    'home.help': 'Obtener ayuda',
    'home.times': 'Las horas están en su zona horaria.',
    'home.reference': 'Referencia: {id}',
    'home.section.failed': 'Esta parte no se puede mostrar ahora.',
    'home.section.cut': 'No cabe todo aquí.',
    'home.state.removed': '✕  *Eliminada.* {app} ya no está instalada aquí.',
    'home.state.broken':
      '✕  *{app} ha perdido su acceso.* Slack ya no acepta su token{reason, select, none {} other { ({reason})}}. Instálela de nuevo para arreglarlo. Este registro se conserva.',
    'home.state.settingUp':
      '◐  *Configurando.* {app} está instalada {org, select, yes {para toda la organización} other {en este espacio de trabajo}}. Los primeros pasos están en marcha.',
    'home.state.waitingForWorkspace':
      '◐  *Esperando un espacio de trabajo.* {app} está instalada para toda la organización pero aún no está en ningún espacio de trabajo. Un administrador la añade: en las páginas de administración de Slack, «Integrations», «Installed apps», {app} y «Add to more workspaces». Después la configuración continúa automáticamente.',
    'home.state.waiting':
      '◐  *Casi listo.* {app} está instalada {org, select, yes {para toda la organización} other {en este espacio de trabajo}}. Un paso de la configuración está en espera y continúa automáticamente.',
    'home.state.question':
      '◐  *Esperando una respuesta.* {app} está instalada {org, select, yes {para toda la organización} other {en este espacio de trabajo}} y ha hecho una pregunta a quien la instaló.',
    'home.state.failed':
      '✕  *La configuración no está completa.* {app} está instalada {org, select, yes {para toda la organización} other {en este espacio de trabajo}}, pero una parte falló.',
    'home.state.permissions':
      '✕  *Faltan permisos.* {app} está instalada {org, select, yes {para toda la organización} other {en este espacio de trabajo}}, pero algunas cosas no funcionan hasta que se concedan.',
    'home.state.unconfirmed':
      '?  *Configurada, con algo sin confirmar.* {app} está instalada {org, select, yes {para toda la organización} other {en este espacio de trabajo}} y funciona.',
    'home.state.ready':
      '✓  *Todo está listo.* {app} está instalada {org, select, yes {para toda la organización} other {en este espacio de trabajo}} y preparada.',
    'home.state.installed':
      '✓  *Instalada.* {app} está instalada {org, select, yes {para toda la organización} other {en este espacio de trabajo}}.',
    'home.fact.workspace': 'Espacio de trabajo',
    'home.fact.organization': 'Organización',
    'home.fact.installedBy': 'Instalada por',
    'home.fact.installed': 'Instalada',
    'home.setup': 'Configuración',
    'home.setup.none': 'Aún no se ha hecho ninguna configuración.',
    'home.setup.queued': 'A punto de empezar',
    'home.setup.running': 'En curso desde {time}',
    'home.setup.waitingForWorkspace': 'Esperando a que un administrador añada {app} a un espacio de trabajo',
    'home.setup.waiting': 'A la espera de continuar',
    'home.setup.continues': 'Continúa: {time}',
    'home.setup.succeeded': 'Terminada: {time}',
    'home.setup.failed': 'Acabó: {time}. No todo funcionó.',
    'home.setup.cancelled': 'Detenida: {time}, antes de terminar',
    'home.step.todo': 'pendiente',
    'home.step.running': 'en curso',
    'home.step.next': 'próximo intento {time}',
    'home.step.nextSoon': 'próximo intento pronto',
    'home.step.nextTry': 'próximo intento {time}, tras {count, plural, one {# intento} other {# intentos}}',
    'home.step.nextTrySoon':
      'próximo intento pronto, tras {count, plural, one {# intento} other {# intentos}}',
    'home.step.afterAttempts': 'tras {count, plural, one {# intento} other {# intentos}}',
    'home.step.failed': 'falló tras {count, plural, one {# intento} other {# intentos}}',
    'home.step.skipped': 'omitido',
    'home.step.unconfirmed': 'sin confirmar',
    'home.step.welcomeNote':
      'Puede que el mensaje haya llegado: la conexión se cortó durante el envío. Solo se envía de nuevo si usted lo pide.',
    'home.step.unconfirmedNote': 'Puede que este paso haya funcionado, pero no hay forma de comprobarlo.',
    'home.step.more':
      '{count, plural, one {# paso más} other {# pasos más}} que no se muestran aquí, {done, number} de ellos hechos.',
    'home.retry': 'Intentar de nuevo',
    'home.sendWelcome': 'Enviar la bienvenida de nuevo',
    'home.sendWelcome.title': '¿Enviar de nuevo?',
    'home.sendWelcome.text': 'La persona que instaló la app recibirá el mensaje de bienvenida una vez más.',
    'home.sendWelcome.doubt': 'Puede que el primero haya llegado. Entonces habrá dos.',
    'home.sendWelcome.confirm': 'Enviar',
    'home.sendWelcome.cancel': 'Cancelar',
    'home.question.intro':
      '*{app} tiene una pregunta para usted.* La configuración continúa cuando responda.',
    'home.question.reminder': '*Recordatorio:* {app} todavía espera su respuesta.',
    'home.question.label': 'Su respuesta',
    'home.question.send': 'Enviar la respuesta',
    'home.question.answered': '✓  {who} respondió: {answer}',
    'home.question.closed': 'Esta pregunta está cerrada: no hace falta ninguna respuesta.',
    'home.question.invalid':
      'Esta respuesta no se puede usar. Cierre esta ventana, elija o escriba una respuesta y vuelva a pulsar el botón.',
    'home.setup.question': 'A la espera de una respuesta',
    'home.askAdmin': 'La persona que instaló {app}, o un administrador, puede intentarlo de nuevo aquí.',
    'home.account': 'Su cuenta',
    'home.account.offer': '{app} también puede actuar en su nombre. Si conecta su cuenta, podrá:',
    'home.account.connect': 'Conectar su cuenta',
    'home.account.connected': '✓  *Su cuenta está conectada.* En su nombre, {app} puede:',
    'home.account.disconnect': 'Desconectar',
    'home.account.disconnect.title': '¿Desconectar su cuenta?',
    'home.account.disconnect.text': '{app} ya no podrá actuar en su nombre. La aplicación seguirá instalada.',
    'home.permissions': 'Qué puede hacer {app}',
    'home.permissions.missing':
      '✕  *{count, plural, one {Falta # permiso} other {Faltan # permisos}}.* Algunas cosas no funcionan hasta que {count, plural, one {se conceda} other {se concedan}}.',
    'home.permissions.granted': '*Concedidos*',
    'home.permissions.nothing': 'No se concedió ningún permiso.',
    'home.permissions.declined': '*No concedido.* Es opcional: solo no funciona lo que lo necesita.',
    'home.permissions.more':
      '{count, plural, one {# permiso más} other {# permisos más}} que no se muestran aquí.',
    'home.permissions.update': 'Actualizar permisos',
    'home.installAgain': 'Instalar de nuevo',
    'home.you': 'Usted',
    'home.you.name': 'Nombre',
    'home.you.email': 'Correo',
    'home.you.timeZone': 'Zona horaria',
    'home.you.kept': 'Esto es lo que {app} guarda sobre usted, desde {time}. Solo usted ve esta parte.',
    'home.you.picture': 'Su foto de perfil',
    'home.history': 'Historial',
    'home.history.older': 'Las entradas más antiguas no se muestran aquí.',
    'home.history.installed': 'Instalada{who, select, none {} other { por {who}}}',
    'home.history.reinstalled': 'Instalada de nuevo{who, select, none {} other { por {who}}}',
    'home.history.user_authorized':
      '{who, select, none {Se conectó una cuenta} other {{who} conectó su cuenta}}',
    'home.history.uninstalled': 'Eliminada',
    'home.history.tokens_revoked':
      '{who, select, none {Se revocó el acceso} other {Se revocó el acceso de {who}}}',
    'home.history.token_died': 'Slack dejó de aceptar el token',
    'home.history.token_works': 'Slack vuelve a aceptar el token',
    'home.history.access_granted': 'Añadida a un espacio de trabajo',
    'home.history.access_revoked': 'Quitada de un espacio de trabajo',
    'home.history.run_succeeded': 'Configuración terminada',
    'home.history.run_failed': 'La configuración acabó, pero no todo funcionó',
    'home.history.run_cancelled': 'Configuración detenida',
    'home.history.run_retried': 'Configuración reintentada{who, select, none {} other { por {who}}}',
    'home.history.uninstall_run_succeeded': 'Limpieza terminada',
    'home.history.uninstall_run_failed': 'La limpieza acabó, pero no todo funcionó',
    'home.history.welcome_requested': 'Otra bienvenida solicitada{who, select, none {} other { por {who}}}',
    'home.history.connected': 'Vinculada a una cuenta{who, select, none {} other { por {who}}}',
    'home.history.disconnected': 'Desvinculada de la cuenta',
    'home.history.operator_action': 'El equipo de la app hizo un cambio',
  },
  scopes: esScopes.scopes,
  userScopes: esScopes.userScopes,
  steps: {
    'register-team': { todo: 'Registrar el espacio de trabajo', doing: 'Registrando su espacio de trabajo' },
    'register-user': { todo: 'Registrar a quien instala', doing: 'Registrando su cuenta' },
    'fetch-profile': { todo: 'Leer el perfil', doing: 'Leyendo su perfil' },
    'send-welcome': { todo: 'Enviar el mensaje de bienvenida', doing: 'Enviando su mensaje de bienvenida' },
    'publish-home': { todo: 'Preparar la pestaña Inicio', doing: 'Preparando la pestaña Inicio' },
  },
};
