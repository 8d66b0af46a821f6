/**
 * What the operator's pages add to the style sheet of the installers' pages. The colors, type and corners are the same,
 * but the layout is denser: operators need to see a lot on one screen.
 */
export const operatorStyles = `
.skip { position: absolute; left: -999rem; }
.skip:focus { position: fixed; left: .75rem; top: .75rem; z-index: 1; padding: .5rem 1rem; background: var(--card); border-radius: 8px; }
.bar { background: var(--card); border-bottom: 1px solid var(--line); }
.bar-inner { max-width: 76rem; margin: 0 auto; padding: .5rem 1.25rem; display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.75rem; }
.brand { display: flex; align-items: center; gap: .625rem; color: var(--text); font-weight: 650; text-decoration: none; min-height: 2.75rem; }
.brand > span[aria-hidden] { display: flex; }
.brand .tile { width: 1.875rem; height: 1.875rem; border-radius: 8px; font-size: .9375rem; }
.role { color: var(--muted); font-weight: 400; }
.bar nav ul { display: flex; gap: .25rem; }
.bar nav a { display: block; padding: .5rem .75rem; border-radius: 8px; color: var(--muted); text-decoration: none; font-size: .9375rem; }
.bar nav a:hover { color: var(--text); background: var(--wash); }
.bar nav a[aria-current] { color: var(--text); font-weight: 650; background: var(--wash); }
.logout { margin-left: auto; }
button { font: inherit; cursor: pointer; }
button.plain { border: 0; background: none; color: var(--muted); padding: .5rem 0; font-size: .9375rem; text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: .2em; }
button.plain:hover { color: var(--text); }

main.operator { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
main.narrow { max-width: 36rem; padding-top: clamp(2rem, 8vh, 5rem); }
main.operator > * + * { margin-top: 1.25rem; }
main.operator h1 { font-size: clamp(1.5rem, 1.3rem + 1vw, 1.875rem); }
main.operator .card { border-radius: 12px; }
main.operator .intro { max-width: 44rem; margin-top: .5rem; }
.panel { padding: 1.25rem; }
.panel > * + * { margin-top: .875rem; }
.panel h3 { font-size: .8125rem; color: var(--muted); font-weight: 600; margin-top: 1.125rem; }
.prose { line-height: 1.6; }
.bullets { display: grid; gap: .375rem; padding-left: 1.125rem; }
.bullets li { list-style: disc; }
.section-head { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1rem; }
.notice { padding: .75rem 1rem; border: 1px solid var(--muted); border-radius: 8px; background: var(--card); }
.notice[data-tone=good] { border-color: var(--good); }
.notice[data-tone=warn] { border-color: var(--warn); }
.notice[data-tone=bad] { border-color: var(--bad); }

.badge { display: inline-flex; align-items: center; gap: .375rem; font-size: .8125rem; line-height: 1.5; font-weight: 600; letter-spacing: 0; white-space: nowrap; color: var(--muted); }
.badge::before { content: ""; width: .5rem; height: .5rem; border-radius: 50%; background: currentcolor; flex: none; }
.badge[data-tone=good] { color: var(--good); }
.badge[data-tone=bad] { color: var(--bad); }
.badge[data-tone=warn] { color: var(--warn); }
.badge[data-tone=busy] { color: var(--accent); }
.badge[data-tone=muted]::before { background: none; border: 2px solid currentcolor; }
h1 .badge, h2 .badge { margin-left: .5rem; vertical-align: middle; }

.failing { padding: 1.25rem; }
.failing ul { display: grid; margin-top: .5rem; }
.failing li { display: grid; grid-template-columns: 1fr auto; gap: .125rem 1rem; padding: .75rem 0; align-items: baseline; }
.failing li + li { border-top: 1px solid var(--line); }
.failing li:last-child { padding-bottom: 0; }
.failing li p { grid-column: 1 / -1; font-size: .875rem; }
.failing-name { font-weight: 600; }
.calm { padding: 1rem 1.25rem; }
.failing h2::before, .calm h2::before { content: ""; display: inline-block; width: .625rem; height: .625rem; border-radius: 50%; margin-right: .625rem; background: var(--bad); }
#unconfirmed::before, #refused::before { background: var(--warn); }
.calm h2::before { background: var(--good); }
.step-name { color: var(--muted); }
.error { color: var(--muted); }
.error code { color: var(--bad); }
[data-calm] .error code { color: inherit; }

.stats { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .75rem; }
.stat { padding: .875rem 1rem; }
.stat > a { display: block; margin: -.875rem -1rem; padding: .875rem 1rem; color: inherit; text-decoration: none; border-radius: 12px; }
.stat > a:hover .tile-label { text-decoration: underline; }
.tile-label, .tile-note { display: block; font-size: .8125rem; line-height: 1.4; color: var(--muted); }
.tile-value { display: block; font-size: 1.625rem; line-height: 1.3; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.stat[data-tone=warn] .tile-value { color: var(--warn); }
.stat[data-tone=bad] .tile-value { color: var(--bad); }

.chart { margin: 0; }
.chart figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1.5rem; font-size: .875rem; color: var(--muted); }
.key { display: flex; flex-wrap: wrap; gap: .125rem .875rem; }
.key > span { display: inline-flex; align-items: center; gap: .375rem; }
.key i { width: .625rem; height: .625rem; border-radius: 3px; }
.key .installed { background: var(--good); } .key .failed { background: var(--bad); }
.key .refused { background: var(--warn); } .key .cancelled { background: color-mix(in srgb, var(--muted) 70%, var(--card)); }
.plot { margin-top: .75rem; border-bottom: 1px solid var(--line); }
.plot svg { display: block; width: 100%; height: 8.5rem; }
.plot .most { display: block; font-size: .75rem; line-height: 1.5; color: var(--muted); border-bottom: 1px dashed var(--line); font-variant-numeric: tabular-nums; }
.plot rect.ground { fill: var(--wash); opacity: .55; }
.plot g:hover rect.ground { opacity: 1; }
.plot rect.installed { fill: var(--good); } .plot rect.failed { fill: var(--bad); }
.plot rect.refused { fill: var(--warn); } .plot rect.cancelled { fill: color-mix(in srgb, var(--muted) 70%, var(--card)); }
.axis { display: flex; justify-content: space-between; margin-top: .375rem; font-size: .75rem; color: var(--muted); }
details > summary { cursor: pointer; font-size: .875rem; color: var(--muted); width: fit-content; padding: .25rem 0; }
details > summary:hover { color: var(--text); }
.chart details { margin-top: .5rem; }

.filters { display: flex; flex-wrap: wrap; align-items: end; gap: .75rem; padding: 1rem; }
.field { display: grid; gap: .25rem; font-size: .8125rem; color: var(--muted); flex: 0 1 10rem; }
.field.wide { flex: 1 1 14rem; }
.field input, .field select {
  width: 100%; min-height: 2.75rem; padding: .5rem .75rem; font: inherit; font-size: 1rem; line-height: 1.4; color: var(--text);
  background: var(--ground); border: 1px solid color-mix(in srgb, var(--muted) 70%, transparent); border-radius: 8px;
}
.field input::placeholder { color: var(--muted); opacity: 1; }
.button.small-button { min-height: 2.75rem; padding: .5rem 1.125rem; font-size: .9375rem; border-radius: 8px; }
.button.second { background: none; border-color: var(--line); color: var(--text); background: var(--card); }
.button.second:hover { background: var(--wash); }
.button.danger { background: none; border-color: var(--bad); color: var(--bad); }
.button.danger:hover { background: var(--bad); color: var(--card); }
.login { padding: 1.5rem; display: grid; gap: 1rem; }
.login .field { flex: none; }
.fault { color: var(--bad); font-weight: 600; }

.table-card { padding: .5rem 1.25rem; overflow-x: auto; }
.table-card > h2 { padding-top: .75rem; }
.table-card > .small { padding: .5rem 0 .75rem; }
table.data { width: 100%; border-collapse: collapse; font-size: .9375rem; line-height: 1.45; }
.data th { text-align: left; font-size: .8125rem; font-weight: 600; color: var(--muted); padding: .625rem .75rem .5rem; white-space: nowrap; }
.data td { padding: .625rem .75rem; border-top: 1px solid var(--line); vertical-align: top; }
.data .button { white-space: nowrap; }
.data th:first-child, .data td:first-child { padding-left: 0; }
.data th:last-child, .data td:last-child { padding-right: 0; }
.data .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.data td[data-empty] { color: var(--muted); }
main.operator time, .nowrap { white-space: nowrap; font-variant-numeric: tabular-nums; }
.data .head > a { font-weight: 600; }
.ids { display: block; font-size: .8125rem; color: var(--muted); }
.empty { padding: 2rem 1.25rem; text-align: center; color: var(--muted); }
.pager { display: flex; justify-content: center; align-items: center; gap: 1.5rem; }
.page-link, .page-first { padding: .625rem .25rem; }
.page-link[aria-disabled] { color: var(--muted); opacity: .6; }

.title-row { display: flex; flex-wrap: wrap; align-items: end; justify-content: space-between; gap: 1rem; }
.crumb { margin-bottom: .25rem; }
.action-bar { display: flex; flex-wrap: wrap; align-items: center; gap: .625rem; }
form.action-bar { align-items: end; }
.columns { display: grid; gap: 1.25rem; }
.column { display: grid; gap: 1.25rem; align-content: start; min-width: 0; }
.facts { margin: .5rem 0 0; display: grid; }
.facts > div { display: grid; grid-template-columns: 9rem 1fr; gap: .75rem; padding: .5rem 0; border-top: 1px solid var(--line); font-size: .9375rem; }
.facts > div:first-child { border-top: 0; }
.facts dt { color: var(--muted); font-size: .875rem; }
.facts dd { margin: 0; }
.scope-list { display: grid; gap: .625rem; font-size: .9375rem; margin-top: .5rem; }
.scope-list li { padding-left: 1.25rem; position: relative; line-height: 1.4; }
.scope-list li > span:first-child { display: block; }
.scope-list li::before { content: ""; position: absolute; left: 0; top: .375rem; width: .5rem; height: .5rem; border-radius: 50%; border: 2px solid var(--muted); }
.scope-list li[data-tone=good]::before { border-color: var(--good); background: var(--good); }
.scope-list li[data-tone=bad]::before { border-color: var(--bad); background: var(--bad); }
.scope-list code { color: var(--muted); }
.run-steps { display: grid; }
.run-step { padding: .75rem 0; border-top: 1px solid var(--line); font-size: .9375rem; }
.step-title { font-weight: 600; }
.run-step-head { display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: baseline; gap: .125rem .875rem; }
.step-facts { display: flex; flex-wrap: wrap; align-items: baseline; gap: .125rem .875rem; }
.took { font-size: .875rem; color: var(--muted); }
.attempts { display: grid; gap: .375rem; padding: .375rem 0 .25rem; font-size: .875rem; }
.attempts li { padding-left: 1.75rem; position: relative; }
.attempt-number { position: absolute; left: 0; color: var(--muted); font-variant-numeric: tabular-nums; }
.older-run { border-top: 1px solid var(--line); padding-top: .5rem; }

@media (min-width: 60rem) {
  main.operator { padding-inline: 2rem; }
  main.narrow { padding-inline: 1.25rem; }
  .bar-inner { padding-inline: 2rem; }
  .columns { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); }
}
@media (min-width: 75rem) {
  .data code { overflow-wrap: break-word; }
}
@media (max-width: 44rem) {
  .bar-inner { gap: 0 1rem; }
  .bar nav { order: 1; width: calc(100% + 1rem); margin-inline: -.5rem; }
  .bar nav ul { flex-wrap: wrap; gap: 0; }
  .bar nav a { white-space: nowrap; padding-inline: .4375rem; font-size: .875rem; }
  .filters .field { flex: 1 1 40%; }
  .filters .field.wide { flex-basis: 100%; }
  .filters .button { width: 100%; }
  .action-bar { width: 100%; }
  .action-bar > * { flex: 1 1 45%; }
  .action-bar .button { width: 100%; }
  .facts > div { grid-template-columns: 1fr; gap: 0; }
  .table-card { padding-block: 0; }
  .table-card > h2 { padding-top: 1.25rem; }
  .data thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .data, .data tbody, .data tr { display: block; }
  .data tr { padding: .75rem 0; }
  .data tr + tr { border-top: 1px solid var(--line); }
  .data td { display: grid; grid-template-columns: 5.5rem 1fr; gap: .75rem; padding: .125rem 0; border: 0; }
  .data td::before { content: attr(data-label); color: var(--muted); font-size: .8125rem; line-height: 1.65; }
  .data td.head { display: block; padding-bottom: .25rem; }
  .data td.head::before { content: none; }
  .data td[data-empty] { display: none; }
  .data .number { text-align: left; }
}
@media (max-width: 36rem) {
  .action-bar > * { flex-basis: 100%; }
  .run-step-head { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 30rem) {
  .bar nav ul { display: grid; grid-template-columns: 1fr 1fr; }
}
@media (forced-colors: active) {
  .badge::before { forced-color-adjust: none; }
  .plot rect { forced-color-adjust: none; }
}
`;
