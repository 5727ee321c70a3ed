/** Plots as SVG, by Vega-Lite, and as PNG, without a browser. */

import { initWasm, Resvg } from "@resvg/resvg-wasm";
import resvgModule from "@resvg/resvg-wasm/index_bg.wasm" with { type: "bytes" };
import font from "dejavu-fonts-ttf/ttf/DejaVuSans.ttf" with { type: "bytes" };
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** A Vega-Lite specification. */
export type PlotSpec = TopLevelSpec;

const fontName = "DejaVu Sans";
/** Colours that are distinct for any colour vision, on light and dark backgrounds (Okabe and Ito, 2008). */
export const palette: readonly string[] = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#999999",
  "#b8a800",
];

/** Characters that XML does not allow, which the name of a class or a run may contain. */
const outsideXml = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Pixels of a PNG for each pixel of the plot. */
const pngScale = 2;

/** A plot as an SVG document with a transparent background. CSS can restyle its texts and lines. */
export async function renderSvg(spec: PlotSpec): Promise<string> {
  const styled: PlotSpec = {
    ...spec,
    background: "transparent",
    config: {
      font: `${fontName}, sans-serif`,
      range: { category: [...palette] },
      view: { stroke: null },
      mark: { color: palette[0]! },
      axis: {
        grid: true,
        labelFlush: false,
        gridColor: "#dddddd",
        domainColor: "#888888",
        tickColor: "#888888",
        titleFontWeight: 400,
      },
      legend: { titleFontWeight: 400, labelLimit: 400 },
      title: { anchor: "start", fontWeight: 600 },
    },
  };
  const view = new View(parse(compile(styled).spec), { renderer: "none" });
  try {
    return (await view.toSVG()).replaceAll(outsideXml, "\ufffd");
  } finally {
    view.finalize();
  }
}

let initialised: Promise<void> | undefined;

/** The PNG file of an SVG document, on white. */
export async function rasterise(svg: string): Promise<Uint8Array> {
  await (initialised ??= initWasm(resvgModule));
  const renderer = new Resvg(svg, {
    background: "white",
    fitTo: { mode: "zoom", value: pngScale },
    font: { fontBuffers: [font], defaultFontFamily: fontName, loadSystemFonts: false },
  });
  try {
    return renderer.render().asPng();
  } finally {
    renderer.free();
  }
}
