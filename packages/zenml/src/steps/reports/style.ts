/** How many series have a colour of their own. */
export const seriesColours = 8

/** The style of every report, for light and dark screens and for paper. Colours of series are told apart also without red or green. */
export const style: string = `
:root { color-scheme: light dark; --ink: #1b1f24; --quiet: #59636e; --line: #d5dae0; --page: #f6f7f9; --card: #fff; --link: #0b57c4;
  --error: #b3261e; --warning: #8a5a00; --fine: #1a6e37; --shade: 11 87 196;
  --s0: #0b6bcb; --s1: #d1580a; --s2: #12835b; --s3: #a03e99; --s4: #9a7200; --s5: #0a7f93; --s6: #b4354a; --s7: #5c5cc4 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --quiet: #9aa4af; --line: #363c44; --page: #121417; --card: #1b1e23; --link: #8ab8ff;
  --error: #ff8a80; --warning: #ffc24d; --fine: #6fd08c; --shade: 110 168 255;
  --s0: #63a9f7; --s1: #f59a5a; --s2: #4fc796; --s3: #d98bd3; --s4: #d9b443; --s5: #54c3d6; --s6: #f0808f; --s7: #a5a5ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 64px }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere }
h2 { font-size: 19px; margin: 36px 0 12px }
h3 { font-size: 16px; margin: 0; overflow-wrap: anywhere }
p { margin: 0 0 12px }
a { color: var(--link) }
.small { font-size: 12px }
.quiet, caption, .kind { color: var(--quiet) }
.kind { font-size: 13px; font-weight: normal; margin-left: 8px }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; margin: 0 0 14px }
.card > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 8px; margin-bottom: 10px }
.columns { display: flex; flex-wrap: wrap; gap: 18px 28px; align-items: flex-start }
.columns > * { flex: 1 1 420px; min-width: 0 }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 14px; width: 100% }
caption { text-align: left; font-size: 13px; padding-bottom: 4px }
th, td { padding: 4px 10px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
thead th { font-size: 13px; font-weight: 600; color: var(--quiet); vertical-align: bottom; overflow-wrap: normal }
tbody th { font-weight: 600; min-width: 150px }
.slim { width: auto; min-width: 340px }
.below { margin-top: 14px }
tbody tr:last-child > * { border-bottom: 0 }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.bars td { vertical-align: middle }
.numbers { display: flex; flex-wrap: wrap; gap: 12px; margin: 16px 0; padding: 0; list-style: none }
.numbers li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 16px; min-width: 120px }
.numbers b { display: block; font-size: 22px; font-variant-numeric: tabular-nums }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 999px; padding: 0 9px; font-size: 12px; font-weight: 600; white-space: nowrap }
.error { color: var(--error) } .warning { color: var(--warning) } .fine { color: var(--fine) }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 8px; padding: 0; list-style: none; font-size: 13px }
.legend svg { width: 12px; height: 12px; margin-right: 6px; vertical-align: -1px }
svg { display: block; max-width: 100% }
.legend svg, td svg { display: inline-block }
td svg { max-width: none; vertical-align: -1px }
summary { cursor: pointer; color: var(--link); font-size: 14px }
svg text { font: 11px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--quiet); unicode-bidi: isolate }
.axis { stroke: var(--line); fill: none; shape-rendering: crispEdges }
.guide { stroke: var(--quiet); fill: none; stroke-dasharray: 4 4 }
.outline { fill: none; stroke-width: 1.8; stroke: currentColor; stroke-linejoin: round }
.fill { fill: currentColor; fill-opacity: .22 }
.solid { fill: currentColor }
${Array.from({ length: seriesColours }, (_, index) => `.s${index} { color: var(--s${index}) }`).join('\n')}
.matrix { width: auto }
.matrix td .quiet { color: inherit; font-size: 12px }
.matrix tbody th { min-width: 0; padding-right: 18px }
.matrix td, .matrix thead th { text-align: right; padding: 6px 12px; font-variant-numeric: tabular-nums }
${Array.from({ length: 11 }, (_, index) => `.h${index} { background: rgb(var(--shade) / ${(index * 0.045).toFixed(2)}) }`).join('\n')}
@media print { body { background: none } .card { break-inside: avoid } }
`
