/** The report as one HTML file that needs nothing else. */

import { curvesElement, curvesFoot, curvesHead } from "./curves/page.ts";
import { escapeHtml } from "./escape_html.ts";
import type { EmbeddedRun } from "../train/run/embedded_run.ts";

/** A table: the head's cells, then rows. The first column holds names, the others figures. */
export interface ReportTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Part of a section: a paragraph, a warning, a table, a plot (SVG) or a picture (PNG), with a caption, or the curves of
 * trainings.
 */
export type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "table"; readonly table: ReportTable; readonly caption?: string }
  | { readonly kind: "plot"; readonly svg: string; readonly caption: string }
  | { readonly kind: "picture"; readonly png: Uint8Array; readonly caption: string }
  | { readonly kind: "curves"; readonly runs: readonly EmbeddedRun[] };

/** One question's answer. */
export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

const style = `
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --soft: #57606a; --rule: #d8dee4; --panel: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #e6edf3; --soft: #9198a1; --rule: #30363d; --panel: #161b22; }
}
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p { max-width: 46rem; } .warning { border-left: 4px solid #d55e00; background: var(--panel); padding: .5rem .9rem; } .subtitle, figcaption, caption { color: var(--soft); font-size: .88rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .75rem 0; }
caption { caption-side: bottom; text-align: left; padding-top: .35rem; max-width: 32rem; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--rule); text-align: right; }
th { font-weight: 600; } th:first-child, td:first-child { text-align: left; padding-left: 0; }
.scroll { overflow-x: auto; max-width: 100%; }
.boxes { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; align-items: flex-start; }
figure { margin: .75rem 0; max-width: 100%; } figcaption { max-width: 32rem; margin-top: .25rem; }
figure svg { max-width: 100%; height: auto; } figure img { max-width: 100%; image-rendering: pixelated; border-radius: 4px; }
svg :is(.role-axis-label, .role-axis-title, .role-legend-label, .role-legend-title, .role-title) text { fill: var(--ink); }
svg .mark-text:not(.role-mark) text { fill: var(--ink) !important; }
svg .role-axis-grid line { stroke: var(--rule) !important; }
svg .role-axis-domain line, svg .role-axis-tick line { stroke: var(--soft) !important; }
.key { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.key li { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: .6rem .9rem; min-width: 7.5rem; }
.key b { display: block; font-size: 1.35rem; } .key span, .key small { color: var(--soft); font-size: .85rem; }
.key small { display: block; font-size: .78rem; }
nav a { color: inherit; margin-right: 1rem; font-size: .9rem; } a { color: #2f81f7; }
`;

/**
 * A whole report.
 * @param key figures that come first, by name, with a note in small print
 */
export function reportPage(
  { title, subtitle, key, sections }: {
    readonly title: string;
    readonly subtitle: string;
    readonly key: readonly (readonly [name: string, value: string, note?: string])[];
    readonly sections: readonly Section[];
  },
): string {
  const links = sections.map((section, i) => `<a href="#s${i}">${escapeHtml(section.title)}</a>`).join("");
  const figures = key.map(([name, value, note]) => {
    const small = note === undefined ? "" : `<small>${escapeHtml(note)}</small>`;
    return `<li><b>${escapeHtml(value)}</b><span>${escapeHtml(name)}</span>${small}</li>`;
  }).join("");
  const body = sections.map((section, i) =>
    `<section id="s${i}"><h2>${escapeHtml(section.title)}</h2>${blocks(section)}</section>`
  );
  const hasCurves = sections.some(({ blocks }) => blocks.some(({ kind }) => kind === "curves"));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${style}</style>${hasCurves ? curvesHead : ""}</head>
<body><header><h1>${escapeHtml(title)}</h1><p class="subtitle">${
    escapeHtml(subtitle)
  }</p><nav>${links}</nav></header>
<ul class="key">${figures}</ul>
${body.join("\n")}
${hasCurves ? curvesFoot : ""}</body></html>
`;
}

/** Consecutive tables and figures stand side by side where there is room. */
function blocks({ blocks }: Section): string {
  let html = "";
  let open = false;
  for (const block of blocks) {
    const isBox = !["text", "warning", "curves"].includes(block.kind);
    if (isBox !== open) html += isBox ? `<div class="boxes">` : "</div>";
    open = isBox;
    html += blockHtml(block);
  }
  return open ? `${html}</div>` : html;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "text":
      return `<p>${escapeHtml(block.text)}</p>`;
    case "warning":
      return `<p class="warning">${escapeHtml(block.text)}</p>`;
    case "table":
      return `<div class="scroll">${tableHtml(block.table, block.caption)}</div>`;
    case "plot":
      return `<figure>${block.svg}<figcaption>${escapeHtml(block.caption)}</figcaption></figure>`;
    case "curves":
      return curvesElement(block.runs);
    case "picture": {
      const source = `data:image/png;base64,${block.png.toBase64()}`;
      return `<figure><img src="${source}" alt="${escapeHtml(block.caption)}"><figcaption>${
        escapeHtml(block.caption)
      }</figcaption></figure>`;
    }
  }
}

function tableHtml({ head, rows }: ReportTable, caption: string | undefined): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  const note = caption === undefined ? "" : `<caption>${escapeHtml(caption)}</caption>`;
  return `<table>${note}<thead>${line(head, "th")}</thead><tbody>${
    rows.map((row) => line(row, "td")).join("")
  }</tbody></table>`;
}
