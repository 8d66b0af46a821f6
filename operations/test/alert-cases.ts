/**
 * The test cases of the alert rules, for `promtool test rules`. Each case begins as a fresh process does: it has every
 * series of `freshProcess`, every counter is 0, and no install has ever succeeded. A near miss is a case that resembles
 * a problem, but in which the alert for that problem must not fire.
 *
 * Values are in promtool's notation: `0+2x40` is 0, 2, 4 … 80, one for each minute (five minutes in slow cases).
 */
export interface AlertCase {
  name: string;
  /** When to evaluate the rules. */
  at: string;
  /** Every alert that must fire at that time. No other alert may fire. */
  fires: readonly string[];
  /**
   * The values of the series that differ from `freshProcess`, by the name of the series. `@` in a name stands for the
   * labels in the constant `machine`.
   */
  series: Readonly<Record<string, string>>;
  /** The case leaves out each series of `freshProcess` whose name matches this expression. */
  without?: RegExp;
  /** Set if the case lasts hours or days. It then has one sample every five minutes. */
  slow?: true;
}

export const machine = 'job="foyer",instance="a:3000"';
const other = 'job="foyer",instance="b:3000"';
const staging = 'job="foyer-staging",instance="s:3000"';

const installs = (outcome: string, labels = '@') =>
  `foyer_install_requests_total{${labels},outcome="${outcome}"}`;
const requests = (type: string, status: string) =>
  `foyer_slack_requests_total{@,type="${type}",status="${status}"}`;
const refused = (kind: string) => `foyer_refused_requests_total{@,kind="${kind}"}`;
const installations = (status: string) => `foyer_installations{@,status="${status}"}`;
const calls = (result: string) => `foyer_slack_calls_total{@,method="users.info",result="${result}"}`;
const runs = (end: string) => `foyer_runs_total{@,end="${end}"}`;
const welcomes = (part: string) => `foyer_welcome_seconds_${part}`;
const acknowledged = (le: string) =>
  `foyer_acknowledgement_duration_seconds_bucket{@,kind="event",le="${le}"}`;
const acknowledgedCount = 'foyer_acknowledgement_duration_seconds_count{@,kind="event"}';

/** The series that the rules read, with the values that a Foyer reports before anything has happened. */
export const freshProcess: Readonly<Record<string, number>> = {
  'up{@}': 1,
  'foyer_build_info{@}': 1,
  'foyer_database_up{@}': 1,
  'foyer_database_damage_total{@}': 0,
  'process_start_time_seconds{@}': 1000,
  'foyer_disk_free_bytes{@}': 50e9,
  'foyer_disk_size_bytes{@}': 100e9,
  'foyer_queue_oldest_due_seconds{@}': 0,
  'foyer_tokens_lapsing{@}': 0,
  'foyer_tokens_unstored{@}': 0,
  'foyer_unknown_teams{@}': 0,
  'foyer_installations_held{@}': 0,
  'foyer_jobs_troubled{@}': 0,
  'foyer_maintenance{@}': 0,
  'foyer_notices_undelivered{@,channel="webhook"}': 0,
  'foyer_notices_total{@,channel="webhook",end="failed"}': 0,
  'foyer_step_attempts_total{@,step="notify-operators",end="failed"}': 0,
  'foyer_database_connections{@,state="waiting"}': 0,
  'foyer_backup_timestamp_seconds{@}': 0,
  'nodejs_eventloop_lag_p99_seconds{@}': 0.01,
  [welcomes('count{@}')]: 0,
  [welcomes('bucket{@,le="30"}')]: 0,
  [welcomes('bucket{@,le="+Inf"}')]: 0,
  [acknowledgedCount]: 0,
  ...zeros(['0.5', '1', '2.5', '+Inf'].map(acknowledged)),
  ...zeros(
    ['installed', 'cancelled', 'refused', 'unverified', 'failed', 'interrupted'].map((end) => installs(end)),
  ),
  ...zeros(['active', 'broken', 'uninstalled'].map(installations)),
  ...zeros(['succeeded', 'failed'].map(runs)),
  ...zeros(['ok', 'unreachable'].map(calls)),
  ...zeros(['secret_mismatch', 'signature_wrong', 'signature_missing'].map(refused)),
  ...zeros([requests('app_mention', '200'), requests('app_mention', '503'), requests('unverified', '401')]),
  'foyer_token_refreshes_total{@,result="failed"}': 0,
  'foyer_token_refreshes_total{@,result="renewed"}': 0,
};

function zeros(names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, 0]));
}

export const alertCases: readonly AlertCase[] = [
  {
    name: 'no alert: a fresh process has handled no request yet',
    at: '30m',
    fires: [],
    series: {},
  },
  {
    name: 'no alert: a healthy process has traffic',
    at: '30m',
    fires: [],
    series: {
      [installs('installed')]: '0+1x40',
      [installs('cancelled')]: '0+1x40',
      [installs('refused')]: '0+2x40',
      [requests('app_mention', '200')]: '0+30x40',
      [installations('active')]: '0+1x40',
      [calls('ok')]: '0+9x40',
      [runs('succeeded')]: '0+1x40',
    },
  },
  {
    name: 'FoyerDown: the only machine does not answer',
    at: '4m',
    fires: ['FoyerDown'],
    series: { 'up{@}': '1 1 0x38' },
  },
  {
    name: 'FoyerDown: Prometheus’ configuration no longer lists the target',
    at: '6m',
    fires: ['FoyerDown'],
    series: { 'up{@}': '1 1 stale' },
  },
  {
    name: 'FoyerDown: the target is not a Foyer',
    at: '6m',
    fires: ['FoyerDown'],
    series: { 'foyer_build_info{@}': '1 1 stale' },
  },
  {
    name: 'FoyerDown, near miss: one scrape fails',
    at: '4m',
    fires: [],
    series: { 'up{@}': '1 1 0 1x37' },
  },
  {
    name: 'FoyerDown, near miss: one of two machines is down, which only opens a ticket',
    at: '10m',
    fires: ['FoyerMachineDown'],
    series: { 'up{@}': '1 1 0x38', [`up{${other}}`]: '1x40', [`foyer_build_info{${other}}`]: '1x40' },
  },
  {
    name: 'FoyerDown: production is down while staging is up',
    at: '4m',
    fires: ['FoyerDown'],
    series: { 'up{@}': '1 1 0x38', [`up{${staging}}`]: '1x40', [`foyer_build_info{${staging}}`]: '1x40' },
  },
  {
    name: 'FoyerMachineDown, near miss: a machine restarts',
    at: '4m',
    fires: [],
    series: { 'up{@}': '1x40', [`up{${other}}`]: '1 0 0 1x37', [`foyer_build_info{${other}}`]: '1x40' },
  },
  {
    name: 'FoyerRestarting: the process restarts every minute',
    at: '6m',
    fires: ['FoyerRestarting'],
    series: { 'process_start_time_seconds{@}': '1 60 120 180 240 300x34' },
  },
  {
    name: 'FoyerRestarting, near miss: two deployments restart the process',
    at: '16m',
    fires: [],
    series: { 'process_start_time_seconds{@}': '1 60 60 60 240x36' },
  },
  {
    name: 'FoyerDatabaseDown: the database is down from the first scrape on',
    at: '2m',
    fires: ['FoyerDatabaseDown'],
    series: { 'foyer_database_up{@}': '0x40' },
    without: /^foyer_(?:installations|queue|tokens|disk)/,
  },
  {
    name: 'FoyerDatabaseDown: one alert fires if the database is down for two machines',
    at: '3m',
    fires: ['FoyerDatabaseDown'],
    series: { 'foyer_database_up{@}': '1 0x39', [`foyer_database_up{${other}}`]: '1 0x39' },
  },
  {
    name: 'FoyerDatabaseDown, near miss: the database is down for a single scrape',
    at: '3m',
    fires: [],
    series: { 'foyer_database_up{@}': '1 0 1x38' },
  },
  {
    name: 'FoyerDatabaseDamaged: one statement meets a damaged page, but the database still answers',
    at: '4m',
    fires: ['FoyerDatabaseDamaged'],
    series: { 'foyer_database_damage_total{@}': '0 0 0 1x37' },
  },
  {
    name: 'FoyerDatabaseDamaged: one alert fires for two machines, even if the damage also makes the metrics unreadable',
    at: '6m',
    fires: ['FoyerDatabaseDamaged', 'FoyerDatabaseDown'],
    series: {
      'foyer_database_up{@}': '1 0x39',
      'foyer_database_damage_total{@}': '0+1x40',
      [`foyer_database_damage_total{${other}}`]: '0+1x40',
    },
  },
  {
    name: 'FoyerDatabaseDamaged, near miss: Foyer was restarted on a restored database',
    at: '30m',
    fires: [],
    series: { 'foyer_database_damage_total{@}': '0 2 2 0x37' },
  },
  {
    name: 'FoyerDatabaseDamaged, near miss: the database is down but not damaged',
    at: '3m',
    fires: ['FoyerDatabaseDown'],
    series: { 'foyer_database_up{@}': '1 0x39' },
  },
  {
    name: 'FoyerDiskNearlyFull: 4 GB of 100 GB are free',
    at: '4m',
    fires: ['FoyerDiskNearlyFull'],
    series: { 'foyer_disk_free_bytes{@}': '50000000000 4000000000x39' },
  },
  {
    name: 'FoyerDiskNearlyFull, near miss: 80 GB of 1 TB are free',
    at: '10m',
    fires: [],
    series: { 'foyer_disk_free_bytes{@}': '80000000000x40', 'foyer_disk_size_bytes{@}': '1000000000000x40' },
  },
  {
    name: 'FoyerDiskNearlyFull, near miss: a small disk is half full',
    at: '10m',
    fires: [],
    series: { 'foyer_disk_free_bytes{@}': '1000000000x40', 'foyer_disk_size_bytes{@}': '2000000000x40' },
  },
  {
    name: 'FoyerQueueStuck: no worker picks up the runs',
    at: '5m',
    fires: ['FoyerQueueStuck'],
    series: { 'foyer_queue_oldest_due_seconds{@}': '0+60x40' },
  },
  {
    name: 'FoyerQueueStuck, near miss: a burst of installs waits for a minute and a half',
    at: '10m',
    fires: [],
    series: { 'foyer_queue_oldest_due_seconds{@}': '0 90x39' },
  },
  {
    name: 'FoyerInstallsFailing: the client secret is wrong, and no install has ever succeeded',
    at: '5m',
    fires: ['FoyerInstallsFailing'],
    series: { [installs('failed')]: '0 2 4 6 8 10x36' },
  },
  {
    name: 'FoyerInstallsFailing: 95 of 100 installs fail',
    at: '20m',
    fires: ['FoyerInstallObjective', 'FoyerInstallsFailing'],
    series: { [installs('failed')]: '0+4.75x40', [installs('installed')]: '0+0.25x40' },
  },
  {
    name: 'FoyerInstallsFailing: installs fail in production but succeed in staging',
    at: '5m',
    fires: ['FoyerInstallsFailing'],
    series: {
      [installs('failed')]: '0+2x40',
      [installs('installed', staging)]: '0+9x40',
      [installs('failed', staging)]: '0x40',
    },
  },
  {
    name: 'FoyerInstallsFailing: one alert fires if installs fail on two machines',
    at: '5m',
    fires: ['FoyerInstallsFailing'],
    series: { [installs('failed')]: '0+1x40', [installs('failed', other)]: '0+1x40' },
  },
  {
    name: 'FoyerInstallsFailing, near miss: only two installs are attempted, and both fail',
    at: '30m',
    fires: [],
    series: { [installs('failed')]: '0 1 2x38' },
  },
  {
    name: 'FoyerInstallsFailing, near miss: half of the installs fail, which only opens a ticket',
    at: '20m',
    fires: ['FoyerInstallObjective'],
    series: { [installs('failed')]: '0+1x40', [installs('installed')]: '0+1x40' },
  },
  {
    name: 'FoyerInstallsFailing, near miss: a stranger sends 600 made-up codes a minute',
    at: '20m',
    fires: ['FoyerInstallsUnverified'],
    series: { [installs('unverified')]: '0+600x40' },
  },
  {
    name: 'FoyerInstallsFailing, near miss: every install is cancelled or refused, for example for an expired state',
    at: '30m',
    fires: [],
    series: { [installs('cancelled')]: '0+5x40', [installs('refused')]: '0+50x40' },
  },
  {
    name: 'FoyerInstallsUnverified, near miss: one install succeeds between made-up codes',
    at: '30m',
    fires: [],
    series: { [installs('unverified')]: '0+5x40', [installs('installed')]: '0 0 0 1x37' },
  },
  {
    name: 'FoyerSignatureRefused: the signing secret is wrong from the start',
    at: '4m',
    fires: ['FoyerSignatureRefused'],
    series: { [refused('secret_mismatch')]: '0+2x40', [installations('active')]: '12x40' },
  },
  {
    name: 'FoyerSignatureRefused: the signing secret is regenerated while the app is busy',
    at: '15m',
    fires: ['FoyerSignatureRefused'],
    series: {
      [refused('secret_mismatch')]: '0x10 0+20x29',
      [requests('app_mention', '200')]: '0+20x10 200x29',
      [installations('active')]: '12x40',
    },
  },
  {
    name: 'FoyerSignatureRefused, near miss: a stranger sends wrong signatures on a quiet night',
    at: '30m',
    fires: [],
    series: {
      [refused('signature_wrong')]: '0+100x40',
      [requests('unverified', '401')]: '0+100x40',
      [installations('active')]: '12x40',
    },
  },
  {
    name: 'FoyerSignatureRefused, near miss: a stranger uses the app’s id, but Slack’s requests still arrive',
    at: '30m',
    fires: [],
    series: {
      [refused('secret_mismatch')]: '0+20x40',
      [requests('app_mention', '200')]: '0+2x40',
      [installations('active')]: '12x40',
    },
  },
  {
    name: 'FoyerSignatureRefused, near miss: the app is not installed anywhere',
    at: '30m',
    fires: [],
    series: { [refused('secret_mismatch')]: '0+20x40' },
  },
  {
    name: 'FoyerClockWrong: the clock is two hours ahead from the start',
    at: '5m',
    fires: ['FoyerClockWrong'],
    series: { 'foyer_time_seconds{@}': '7200+60x40' },
  },
  {
    name: 'FoyerClockWrong: the clock of one of two machines falls behind',
    at: '15m',
    fires: ['FoyerClockWrong'],
    series: {
      'foyer_time_seconds{@}': '0+60x40',
      [`foyer_time_seconds{${other}}`]: '0+60x5 0+60x40',
    },
  },
  {
    name: 'FoyerClockWrong, near miss: the clock is a minute ahead, less than the five minutes that Foyer tolerates',
    at: '30m',
    fires: [],
    series: { 'foyer_time_seconds{@}': '60+60x40' },
  },
  {
    name: 'FoyerAppSuspended: Slack has called two of forty installations inactive so far',
    at: '15m',
    fires: ['FoyerAppSuspended'],
    series: {
      'foyer_installations_held{@}': '0 0 1 2x38',
      [installations('broken')]: '0 0 1 2x38',
      [installations('active')]: '40 40 39 38x38',
    },
  },
  {
    name: 'FoyerAppSuspended: Slack calls the only installation inactive',
    at: '15m',
    fires: ['FoyerAppSuspended'],
    series: {
      'foyer_installations_held{@}': '0 0 1x38',
      [installations('broken')]: '0 0 1x38',
      [installations('active')]: '1 1 0x38',
    },
  },
  {
    name: 'FoyerAppSuspended, near miss: Slack calls only one of forty installations inactive',
    at: '12m',
    fires: [],
    series: {
      'foyer_installations_held{@}': '0 0 1x15 0x23',
      [installations('broken')]: '0 0 1x15 0x23',
      [installations('active')]: '40 40 39x38',
    },
  },
  {
    name: 'FoyerAppSuspended, near miss: one team uninstalls the app, and the app works for another team',
    at: '30m',
    fires: [],
    series: {
      [installations('active')]: '2 2 1x38',
      [installations('uninstalled')]: '0 0 1x38',
    },
  },
  {
    name: 'FoyerAppSuspended, near miss: the tokens of both teams are revoked',
    at: '30m',
    fires: [],
    series: { [installations('broken')]: '0 0 2x38', [installations('active')]: '2 2 0x38' },
  },
  {
    name: 'FoyerAcknowledgesSlowly: Foyer takes about two seconds to acknowledge each event',
    at: '15m',
    fires: ['FoyerAcknowledgesSlowly'],
    series: {
      [acknowledged('0.5')]: '0x40',
      [acknowledged('1')]: '0x40',
      [acknowledged('2.5')]: '0+5x40',
      [acknowledged('+Inf')]: '0+5x40',
      [acknowledgedCount]: '0+5x40',
    },
  },
  {
    name: 'FoyerAcknowledgesSlowly, near miss: one slow event in a quiet hour',
    at: '15m',
    fires: [],
    series: {
      [acknowledged('0.5')]: '0x40',
      [acknowledged('1')]: '0x40',
      [acknowledged('2.5')]: '0x8 1x31',
      [acknowledged('+Inf')]: '0x8 1x31',
      [acknowledgedCount]: '0x8 1x31',
    },
  },
  {
    name: 'FoyerTokensLapsing: two tokens are about to expire, and no sweep refreshes them',
    at: '20m',
    fires: ['FoyerTokensLapsing'],
    series: { 'foyer_tokens_lapsing{@}': '2x40' },
  },
  {
    name: 'FoyerTokensLapsing, near miss: two tokens are about to expire, but the next sweep refreshes them',
    at: '30m',
    fires: [],
    series: { 'foyer_tokens_lapsing{@}': '0x5 2x6 0x28' },
  },
  {
    name: 'FoyerEventsStopped: Slack has disabled the subscription',
    at: '26h',
    fires: ['FoyerEventsStopped'],
    series: { [requests('app_mention', '200')]: '0+10x288 2880x40', [installations('active')]: '12x400' },
    slow: true,
  },
  {
    name: 'FoyerEventsStopped, near miss: the same hour yesterday had few requests too',
    at: '26h',
    fires: [],
    series: { [requests('app_mention', '200')]: '0+1x288 288x40', [installations('active')]: '12x400' },
    slow: true,
  },
  {
    name: 'FoyerInstallObjective: 2 % of the installs fail',
    at: '24h',
    fires: ['FoyerInstallObjective'],
    series: { [installs('failed')]: '0+0.2x400', [installs('installed')]: '0+10x400' },
    slow: true,
  },
  {
    name: 'FoyerInstallObjective, near miss: two installs fail and 80 succeed',
    at: '24h',
    fires: [],
    series: { [installs('failed')]: '0 0 0 1 2x396', [installs('installed')]: '0+0.25x320 80x80' },
    slow: true,
  },
  {
    name: 'FoyerWelcomeObjective: one welcome in ten is late',
    at: '24h',
    fires: ['FoyerWelcomeObjective'],
    series: {
      [welcomes('count{@}')]: '0+1x400',
      [welcomes('bucket{@,le="+Inf"}')]: '0+1x400',
      [welcomes('bucket{@,le="30"}')]: '0+0.9x400',
    },
    slow: true,
  },
  {
    name: 'FoyerWelcomeObjective, near miss: one of 20 welcomes is late',
    at: '24h',
    fires: [],
    series: {
      [welcomes('count{@}')]: '0+0.1x200 20x200',
      [welcomes('bucket{@,le="+Inf"}')]: '0+0.1x200 20x200',
      [welcomes('bucket{@,le="30"}')]: '0+0.095x200 19x200',
    },
    slow: true,
  },
  {
    name: 'FoyerRunsFailing: half of the runs fail',
    at: '15m',
    fires: ['FoyerRunsFailing'],
    series: { [runs('failed')]: '0+1x40', [runs('succeeded')]: '0+1x40' },
  },
  {
    name: 'FoyerRunsFailing, near miss: one run fails for every ten that succeed',
    at: '30m',
    fires: [],
    series: { [runs('failed')]: '0+0.2x40', [runs('succeeded')]: '0+2x40' },
  },
  {
    name: 'FoyerTokensDying: three installations break within an hour',
    at: '70m',
    fires: ['FoyerTokensDying'],
    series: { [installations('broken')]: '0x65 1 2 3x30' },
  },
  {
    name: 'FoyerTokensDying, near miss: only two installations break within an hour',
    at: '70m',
    fires: [],
    series: { [installations('broken')]: '1x65 2 3x30' },
  },
  {
    name: 'FoyerRefreshFailing: every token refresh fails',
    at: '15m',
    fires: ['FoyerRefreshFailing'],
    series: { 'foyer_token_refreshes_total{@,result="failed"}': '0+1x40' },
  },
  {
    name: 'FoyerRefreshFailing, near miss: only two token refreshes fail',
    at: '30m',
    fires: [],
    series: { 'foyer_token_refreshes_total{@,result="failed"}': '0x9 2x30' },
  },
  {
    name: 'FoyerTokensNotRevoked: Foyer cannot revoke the tokens of one install request',
    at: '35m',
    fires: ['FoyerTokensNotRevoked'],
    series: { 'foyer_tokens_unstored{@}': '1x40' },
  },
  {
    name: 'FoyerTokensNotRevoked, near miss: Foyer revokes the tokens of an install request after ten minutes',
    at: '35m',
    fires: [],
    series: { 'foyer_tokens_unstored{@}': '1x10 0x29' },
  },
  {
    name: 'FoyerRefusesEvents: Foyer answers every event with 503',
    at: '15m',
    fires: ['FoyerRefusesEvents'],
    series: { [requests('app_mention', '503')]: '0+2x40' },
  },
  {
    name: 'FoyerRefusesEvents, near miss: Foyer refuses only unsigned requests',
    at: '30m',
    fires: [],
    series: {
      [requests('unverified', '401')]: '0+200x40',
      [refused('signature_missing')]: '0+200x40',
      [requests('app_mention', '200')]: '0+10x40',
    },
  },
  {
    name: 'FoyerSlackUnreachable: no call to Slack gets through',
    at: '15m',
    fires: ['FoyerSlackUnreachable'],
    series: { [calls('unreachable')]: '0+2x40' },
  },
  {
    name: 'FoyerSlackUnreachable, near miss: only three calls to Slack fail',
    at: '30m',
    fires: [],
    series: { [calls('unreachable')]: '0 3x39' },
  },
  {
    name: 'FoyerNoticesUndelivered: the webhook is gone',
    at: '15m',
    fires: ['FoyerNoticesUndelivered'],
    series: { 'foyer_notices_total{@,channel="webhook",end="failed"}': '0 1x39' },
  },
  {
    name: 'FoyerNoticesUndelivered, near miss: a notice is delivered after a few minutes',
    at: '30m',
    fires: [],
    series: { 'foyer_notices_undelivered{@,channel="webhook"}': '0 0 1 1 1 0x36' },
  },
  {
    name: 'FoyerUnknownTeams: an old backup was restored',
    at: '5m',
    fires: ['FoyerUnknownTeams'],
    series: { 'foyer_unknown_teams{@}': '0 0 11x38' },
  },
  {
    name: 'FoyerMaintenanceForgotten: maintenance has been on for more than two hours',
    at: '3h',
    fires: ['FoyerMaintenanceForgotten'],
    series: { 'foyer_maintenance{@}': '0 0 1x40' },
    slow: true,
  },
  {
    name: 'FoyerMaintenanceForgotten, near miss: maintenance was on for an hour',
    at: '3h',
    fires: [],
    series: { 'foyer_maintenance{@}': '0 0 1x12 0x28' },
    slow: true,
  },
  {
    name: 'FoyerJobsTroubled: the nightly job failed',
    at: '9m',
    fires: ['FoyerJobsTroubled'],
    series: { 'foyer_jobs_troubled{@}': '0 0 1x38' },
  },
  {
    name: 'FoyerJobsTroubled, near miss: a frequent job fails once, and its next turn succeeds',
    at: '9m',
    fires: [],
    series: { 'foyer_jobs_troubled{@}': '0 0 1 1 0x36' },
  },
  {
    name: 'FoyerPoolExhausted: callers always wait for a database connection',
    at: '10m',
    fires: ['FoyerPoolExhausted'],
    series: { 'foyer_database_connections{@,state="waiting"}': '3x40' },
  },
  {
    name: 'FoyerPoolExhausted, near miss: callers wait for a database connection only during a burst',
    at: '30m',
    fires: [],
    series: { 'foyer_database_connections{@,state="waiting"}': '0 0 3 9 3 0x36' },
  },
  {
    name: 'FoyerBackupOld: the newest backup is three days old',
    at: '73h',
    fires: ['FoyerBackupOld'],
    series: { 'foyer_backup_timestamp_seconds{@}': '60x900' },
    slow: true,
  },
  {
    name: 'FoyerBackupOld, near miss: there never was a backup',
    at: '73h',
    fires: [],
    series: {},
    slow: true,
  },
  {
    name: 'FoyerFlooded: 100 unsigned requests a second for half an hour',
    at: '30m',
    fires: ['FoyerFlooded'],
    series: { [refused('signature_missing')]: '0+6000x40', [requests('unverified', '401')]: '0+6000x40' },
  },
  {
    name: 'FoyerFlooded, near miss: a scanner sends requests for only five minutes',
    at: '40m',
    fires: [],
    series: {
      [refused('signature_missing')]: '0+1200x5 6000x40',
      [requests('unverified', '401')]: '0+1200x5 6000x40',
    },
  },
  {
    name: 'FoyerEventLoopBlocked: a listener blocks the event loop all the time',
    at: '15m',
    fires: ['FoyerEventLoopBlocked'],
    series: { 'nodejs_eventloop_lag_p99_seconds{@}': '0.9x40' },
  },
  {
    name: 'FoyerEventLoopBlocked, near miss: a listener blocks the event loop for a few minutes',
    at: '30m',
    fires: [],
    series: { 'nodejs_eventloop_lag_p99_seconds{@}': '0.01 0.9x5 0.01x34' },
  },
];
