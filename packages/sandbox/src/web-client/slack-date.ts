/** The tokens of `<!date^…>`. Source: docs.slack.dev/messaging/formatting-message-text#date-formatting */
const dateTokens: Record<string, Intl.DateTimeFormatOptions> = {
  date_num: { year: 'numeric', month: '2-digit', day: '2-digit' },
  date: { year: 'numeric', month: 'long', day: 'numeric' },
  date_short: { year: 'numeric', month: 'short', day: 'numeric' },
  date_long: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
  time: { hour: 'numeric', minute: '2-digit' },
  time_secs: { hour: 'numeric', minute: '2-digit', second: '2-digit' },
};

export type DateReader = { timeZone: string; locale: string; nowMs: number };

/** Who reads a message or view, and the names of the people and channels that the message or view may mention. */
export type Reader = DateReader & {
  names: { id: string; name: string }[];
  channels: { id: string; name: string }[];
};

/** Writes a date as Slack would for one reader: in their time zone, and with words like `today` for `_pretty`. */
export function formatSlackDate(timestampSeconds: number, format: string, reader: DateReader): string {
  const atMs = timestampSeconds * 1000;
  return format.replace(/\{(\w+)\}/g, (whole, token: string) => {
    if (token === 'ago') return ago(atMs, reader);
    const isPretty = token.endsWith('_pretty');
    const options = dateTokens[token.replace(/_pretty$/, '')];
    if (!options) return whole;
    return (isPretty && nearbyDay(atMs, reader)) || inZone(atMs, reader, options);
  });
}

function inZone(atMs: number, { timeZone, locale }: DateReader, options: Intl.DateTimeFormatOptions): string {
  // The hour has two digits on a 24-hour clock (03:14), but not on a 12-hour one (3:14 AM).
  if (options.hour && locale !== 'en-US') options = { ...options, hour: '2-digit' };
  return new Intl.DateTimeFormat(locale, { timeZone, ...options }).format(atMs);
}

function nearbyDay(atMs: number, reader: DateReader): string | undefined {
  const day = (ms: number) => inZone(ms, { ...reader, locale: 'en-CA' }, dateTokens.date_num ?? {});
  const dayMs = 86_400_000;
  if (day(atMs) === day(reader.nowMs)) return 'today';
  if (day(atMs) === day(reader.nowMs - dayMs)) return 'yesterday';
  return day(atMs) === day(reader.nowMs + dayMs) ? 'tomorrow' : undefined;
}

function ago(atMs: number, { nowMs }: DateReader): string {
  const minutes = Math.round((nowMs - atMs) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} minute${minutes === 1 ? '' : 's'} ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 24) return `${hours} hour${hours === 1 ? '' : 's'} ago`;
  const days = Math.round(hours / 24);
  return `${days} day${days === 1 ? '' : 's'} ago`;
}

/** The clock time of a message timestamp for a reader. */
export function clockTime(ts: string, reader: DateReader): string {
  return formatSlackDate(Number(ts), '{time}', reader);
}
