/**
 * The style sheet of every page: system fonts, and one accent color, which the theme sets. Colors are named after their
 * purpose. Each pair of text and background has a contrast of at least 4.5 : 1, in both the light and the dark scheme.
 */
export const styles = `
:root {
  color-scheme: light dark;
  --ground: #f7f6f3; --card: #ffffff; --text: #1d1c1d; --muted: #5e5c63; --line: #e4e1db;
  --good: #14734d; --warn: #8a5400; --bad: #b3261e;
  --slack: #4a154b; --slack-hover: #5b1c5d; --on-slack: #ffffff; --slack-line: transparent;
  --shadow: 0 1px 2px rgb(29 28 29 / 5%), 0 8px 28px rgb(29 28 29 / 6%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131416; --card: #1b1d20; --text: #ededef; --muted: #a6a7ae; --line: #2f3237;
    --good: #6fd0a0; --warn: #e6b45c; --bad: #ff9a91;
    --slack: #ffffff; --slack-hover: #eeeaf0; --on-slack: #1d1c1d;
    --shadow: none;
  }
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; min-height: 100svh;
  display: flex; flex-direction: column;
  background: var(--ground); color: var(--text);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  -webkit-font-smoothing: antialiased; overflow-wrap: anywhere;
}
h1, h2, h3, p, ul, ol { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: clamp(1.75rem, 1.45rem + 1.4vw, 2.375rem); line-height: 1.15; letter-spacing: -.022em; font-weight: 700; text-wrap: balance; }
h2 { font-size: 1.0625rem; line-height: 1.35; letter-spacing: -.008em; font-weight: 650; text-wrap: balance; }
h3 { font-size: .9375rem; line-height: 1.4; font-weight: 650; }
p { text-wrap: pretty; }
code { font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 6px; }
.small { font-size: .875rem; color: var(--muted); }
:lang(ja) { word-break: auto-phrase; }
.lead { font-size: 1.125rem; line-height: 1.55; color: var(--muted); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 16px; box-shadow: var(--shadow); }
.visually-hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

main { width: 100%; margin: auto; padding: 3rem 1.25rem; }
/* From the top, not the middle: a page that grows while it is read must not jump. */
main.single { max-width: 35rem; margin-top: 0; padding-top: clamp(3rem, 12vh, 7.5rem); }
main.single > * + * { margin-top: .875rem; }
main.single > h1 { margin-top: 1.75rem; }
main.single > p { color: var(--muted); }
main.single > .actions { margin-top: 1.75rem; }
main.single > details { margin-top: 2rem; }
main.single > .next { margin-top: 2rem; }
main.single > .help { margin-top: 1.75rem; font-size: .875rem; }
main.records { max-width: 44rem; margin-top: 0; padding-top: 2rem; }
.signed-in { display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: .25rem 1rem; }
.signed-in .tile { grid-row: span 2; }
.signed-in h1 { font-size: 1.5rem; }
.signed-in p { grid-column: 2; grid-row: 2; }
.signed-in form { grid-column: 3; grid-row: 1 / span 2; }
.record { margin-top: 1.25rem; padding: 1.25rem; display: grid; gap: .75rem; }
.record blockquote { margin: .25rem 0; padding-left: .875rem; border-left: 3px solid var(--line); color: var(--muted); }
.record .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .75rem 1.5rem; }
.record .avatar { border-radius: 12px; }
.record > form .button-quiet { padding-inline: 0; }
.record .confirm { border: 1px solid var(--line); border-radius: 12px; }
.record .confirm > :not(summary) { padding: 0 1.25rem 1rem; }
main.landing { max-width: 68rem; display: grid; gap: 3rem; }
.pitch h1 { margin-top: 1.75rem; }
.pitch .lead { margin-top: .875rem; max-width: 32rem; }
.pitch .actions { margin-top: 1.5rem; }
.sign-in { margin-top: .875rem; }
.maker { margin-top: .5rem; font-size: .875rem; color: var(--muted); }
.contacts { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin-top: 1rem; font-size: .875rem; }
.contacts a { display: inline-block; padding: .375rem 0; }
.next { margin-top: 2.25rem; max-width: 32rem; }
.approval { margin-top: 1.75rem; max-width: 32rem; }
.about { margin-top: 1.75rem; padding-top: 1.75rem; border-top: 1px solid var(--line); max-width: 32rem; color: var(--muted); }

.marks { display: flex; align-items: center; gap: .625rem; }
.tile { width: 3.25rem; height: 3.25rem; border-radius: 14px; display: grid; place-items: center; flex: none; }
.tile img { width: 100%; height: 100%; border-radius: inherit; object-fit: cover; }
.tile-app { background: var(--tile); color: var(--on-tile); font-size: 1.5rem; font-weight: 700; }
.tile-slack { background: #fff; border: 1px solid var(--line); }
.tile .slack-mark { width: 1.625rem; height: 1.625rem; }
.join { display: flex; align-items: center; gap: .3125rem; position: relative; min-width: 1.75rem; justify-content: center; }
.join i { width: .3125rem; height: .3125rem; border-radius: 50%; background: var(--muted); opacity: .55; }
.join b { display: none; place-items: center; width: 1.375rem; height: 1.375rem; border-radius: 50%; color: var(--card); font-size: .8125rem; line-height: 1; font-weight: 700; }
[data-tone=good] .join b, [data-tone=hitch] .join b, [data-tone=bad] .join b { display: grid; }
[data-tone=good] .join i, [data-tone=hitch] .join i, [data-tone=bad] .join i { display: none; }
[data-tone=good] .join b { background: var(--good); }
[data-tone=hitch] .join b { background: var(--warn); }
[data-tone=bad] .join b { background: var(--bad); }
[data-tone=good] .join b::after { content: ""; width: .3125rem; height: .5625rem; margin-top: -.125rem; border: solid currentcolor; border-width: 0 2px 2px 0; transform: rotate(45deg); }
[data-tone=hitch] .join b::after, [data-tone=bad] .join b::after { content: "!"; }

.actions { display: flex; flex-wrap: wrap; align-items: center; gap: .875rem 1.5rem; }
.button {
  display: inline-flex; align-items: center; justify-content: center; gap: .75rem; min-height: 3rem; padding: .625rem 1.5rem;
  border: 1px solid transparent; border-radius: 10px; background: var(--button); color: var(--on-button);
  font-weight: 650; text-decoration: none; text-align: center;
}
.button:hover { background: var(--button-hover); }
.button:focus-visible { border-radius: 10px; }
.button-slack { min-height: 3.5rem; padding: .75rem 1.75rem; background: var(--slack); color: var(--on-slack); font-size: 1.125rem; }
.button-slack:hover { background: var(--slack-hover); }
.button .slack-mark { width: 1.375rem; height: 1.375rem; flex: none; }
.button-quiet { font: inherit; font-weight: 500; min-height: 3rem; padding: .375rem .5rem; border: 0; background: none; color: var(--accent); text-decoration: underline; text-underline-offset: .2em; cursor: pointer; }
button.button { font-family: inherit; font-size: 1rem; cursor: pointer; }
button.button-slack { font-size: 1.125rem; }
.account { color: var(--text); font-weight: 650; }
main.single > .account-card { padding: .875rem 1.25rem; border: 1px solid var(--line); border-radius: 12px; background: var(--card); font-size: 1.125rem; }
main.single > form { margin-top: 1.75rem; }
.question { padding: 1.25rem; }
main.single > .question { margin-top: 1.75rem; }
.question h2 { white-space: pre-line; }
.question p { margin-top: .5rem; color: var(--muted); }
.question form { margin-top: 1rem; display: grid; gap: .5rem; justify-items: start; }
.question :is(label, legend) { padding: 0; font-size: .875rem; color: var(--muted); }
.question fieldset { width: 100%; margin: 0; padding: 0; border: 0; display: grid; }
.question .option { display: flex; align-items: center; gap: .75rem; min-height: 2.75rem; font-size: 1rem; color: var(--text); cursor: pointer; }
.question .option input { flex: none; width: 1.125rem; height: 1.125rem; margin: 0; accent-color: var(--accent); }
.question :is(textarea, select) { width: 100%; padding: .625rem .875rem; border: 1px solid var(--muted); border-radius: 10px; background: var(--ground); color: var(--text); font: inherit; }
.question textarea { resize: vertical; }
.question .button { margin-top: .5rem; }
main.single > .notice { color: var(--warn); font-weight: 600; }
.quiet { font-weight: 500; padding: .375rem 0; }
.fact { padding-left: .75rem; border-left: 3px solid var(--line); font-weight: 600; }
main.single > .fact { color: var(--text); margin: 1.125rem 0 1.25rem; }

.next ol { margin-top: 1rem; display: grid; gap: .75rem; counter-reset: next; }
.next li { display: grid; grid-template-columns: 1.5rem 1fr; gap: .75rem; color: var(--muted); counter-increment: next; }
.next li::before {
  content: counter(next); width: 1.5rem; height: 1.5rem; border-radius: 50%; background: var(--wash); color: var(--accent);
  font-size: .8125rem; font-weight: 700; display: grid; place-items: center;
}
.permissions { padding: 1.5rem 1.25rem; align-self: start; }
.permissions h3 { margin-top: 1.5rem; }
.permissions > .small { margin-top: 1.25rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
.scopes { margin-top: 1.25rem; display: grid; gap: 1rem; }
.scopes li { position: relative; padding-left: 1.875rem; }
.scopes li::before {
  content: ""; position: absolute; left: .375rem; top: .375rem; width: .375rem; height: .6875rem;
  border: solid var(--accent); border-width: 0 2px 2px 0; transform: rotate(45deg);
}
.allowance { display: block; line-height: 1.5; }
.scope { display: flex; flex-wrap: wrap; align-items: center; gap: .125rem .625rem; color: var(--muted); }
.reason { display: block; margin-top: .125rem; font-size: .875rem; line-height: 1.5; color: var(--muted); }
.optional { font-size: .75rem; line-height: 1.5; padding: 0 .5rem; border-radius: 99px; background: var(--wash); color: var(--accent); font-weight: 600; }

.now { display: flex; align-items: center; gap: .625rem; }
main.single > .now { color: var(--text); font-weight: 600; }
.spinner { flex: none; width: 1rem; height: 1rem; border-radius: 50%; border: 2px solid var(--line); border-top-color: var(--accent); border-right-color: var(--accent); }
summary { padding: .875rem 1.25rem; font-weight: 650; cursor: pointer; border-radius: 16px; }
[data-tone=good] summary { color: var(--good); }
.steps { padding: .375rem 1.25rem; border-top: 1px solid var(--line); }
.step { display: grid; grid-template-columns: 1.25rem 1fr auto; gap: 0 .875rem; align-items: center; padding: .8125rem 0; }
.step + .step { border-top: 1px solid var(--line); }
.step-status { font-size: .8125rem; color: var(--muted); white-space: nowrap; }
.step-note { grid-column: 2 / -1; font-size: .875rem; line-height: 1.5; color: var(--muted); margin-top: .125rem; }
.dot { width: 1.25rem; height: 1.25rem; border-radius: 50%; border: 2px solid var(--line); display: grid; place-items: center; font-size: .75rem; line-height: 1; font-weight: 700; color: var(--card); }
[data-status=pending] .step-label, [data-status=skipped] .step-label { color: var(--muted); }
[data-status=running] .step-label, [data-status=retrying] .step-label { font-weight: 600; }
[data-status=running] .dot, [data-status=retrying] .dot { border-top-color: var(--accent); border-right-color: var(--accent); }
[data-status=retrying] .dot { border-top-color: var(--warn); border-right-color: var(--warn); }
[data-status=succeeded] .dot { background: var(--good); border-color: var(--good); }
[data-status=succeeded] .dot::after { content: ""; width: .3125rem; height: .5625rem; margin-top: -.125rem; border: solid currentcolor; border-width: 0 2px 2px 0; transform: rotate(45deg); }
[data-status=failed] .dot { background: var(--bad); border-color: var(--bad); }
[data-status=unconfirmed] .dot { background: var(--warn); border-color: var(--warn); }
[data-status=failed] .dot::after { content: "!"; }
[data-status=unconfirmed] .dot::after { content: "?"; }
[data-status=skipped] .dot::after { content: ""; width: .5rem; height: 2px; background: var(--muted); }
[data-status=failed] .step-status { color: var(--bad); }
[data-status=retrying] .step-status, [data-status=unconfirmed] .step-status { color: var(--warn); }

[data-tone=ended] .step-label { font-weight: 400; }

footer { width: 100%; padding: 1.25rem; display: flex; flex-wrap: wrap; justify-content: center; align-items: center; gap: .25rem 1.5rem; font-size: .8125rem; color: var(--muted); text-align: center; }
footer ul { display: flex; gap: 1.5rem; }
footer a { color: var(--muted); display: inline-block; padding: .375rem 0; }
footer a:hover { color: var(--text); }
footer code { font-size: .75rem; }

@media (min-width: 56rem) {
  main { padding-inline: 2rem; }
  main.landing { padding-block: 4.5rem; }
  main.landing { grid-template-columns: minmax(0, 1fr) minmax(0, 28rem); gap: 5rem; align-items: start; }
  .permissions { padding: 2rem; }
}
@media (max-width: 30rem) {
  .button { width: 100%; }
  .actions { justify-content: center; }
  .record .actions { justify-content: flex-start; }
  .step:is([data-status=failed], [data-status=retrying], [data-status=unconfirmed], [data-status=skipped]) .step-status { grid-column: 2; }
}
@media (prefers-reduced-motion: no-preference) {
  .button, a { transition: background-color .15s ease, color .15s ease; }
  [data-status=running] .dot, [data-status=retrying] .dot { animation: turn .9s linear infinite; }
  .spinner { animation: turn .9s linear infinite; }
  [data-tone=busy] .join i { animation: pulse 1.2s ease-in-out infinite; }
  [data-tone=busy] .join i:nth-child(2) { animation-delay: .15s; }
  [data-tone=busy] .join i:nth-child(3) { animation-delay: .3s; }
}
@keyframes turn { to { transform: rotate(1turn); } }
@keyframes pulse { 0%, 60%, 100% { opacity: .35; } 30% { opacity: 1; } }
@media (forced-colors: active) {
  .button, .optional { border: 1px solid currentcolor; }
  .tile, .dot { forced-color-adjust: none; }
}
@media print { body { background: none; } .actions { display: none; } }
`;
