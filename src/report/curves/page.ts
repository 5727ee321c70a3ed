/** The curves of trainings in pages that need nothing else. */

import type { EmbeddedRun } from "../../train/run/embedded_run.ts";
import { escapeHtml } from "../escape_html.ts";
import style from "./style.css" with { type: "text" };
import script from "./script.js" with { type: "text" };

/** The head of a page with curves. It draws every {@link curvesElement} when the page has loaded. */
export const curvesHead = `<style>${style}</style>`;

/** The end of such a page. */
export const curvesFoot = `<script>${script}</script>`;

/** The element in which a page's script draws the curves of runs, one above the other. */
export function curvesElement(runs: readonly EmbeddedRun[]): string {
  // Inside the element, < could begin its end.
  const json = JSON.stringify(runs).replaceAll("<", "\\u003c");
  return `<div class="curves"><script type="application/json">${json}</script>` +
    "<noscript>The curves are drawn by a script, which this browser does not run.</noscript></div>";
}

/**
 * A page of curves as one HTML file, which makes no request.
 * @param lines facts about the runs
 */
export function curvesPage(title: string, lines: readonly string[], runs: readonly EmbeddedRun[]): string {
  const about = lines.map((line) => `<p class="about">${escapeHtml(line)}</p>`).join("");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title><style>${pageStyle}</style>${curvesHead}</head>
<body><h1>${escapeHtml(title)}</h1>${about}
${curvesElement(runs)}
${curvesFoot}</body></html>
`;
}

const pageStyle = `
:root { color-scheme: light dark; --paper: #fbfbf9; --ink: #1a1a18; --muted: #66665f; }
@media (prefers-color-scheme: dark) { :root { --paper: #151513; --ink: #ecebe6; --muted: #a09f97; } }
body { margin: 0 auto; max-width: 1120px; padding: 18px 24px 48px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 17px; font-weight: 650; margin: 0; overflow-wrap: anywhere; }
.about { color: var(--muted); font-size: 13px; margin: 0; }
.curves { margin-top: 20px; }
`;
