/**
 * prom-client's parts, one by one; their types are those of its entry. Why not the entry: it loads Node's own metrics as
 * well, and OpenTelemetry for one of them, which is one module in fifteen of a start. Its package keeps no path to
 * itself (it has no `exports`).
 */
declare module 'prom-client/lib/counter.js' {
  import { Counter } from 'prom-client';
  export = Counter;
}
declare module 'prom-client/lib/gauge.js' {
  import { Gauge } from 'prom-client';
  export = Gauge;
}
declare module 'prom-client/lib/histogram.js' {
  import { Histogram } from 'prom-client';
  export = Histogram;
}
declare module 'prom-client/lib/registry.js' {
  import { Registry } from 'prom-client';
  export = Registry;
}
