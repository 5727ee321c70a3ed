/** The table beside the peers, from `bench/results/peers-*.json`. */

import type { Benchmark } from "../../bench/peers/benchmarks.ts";
import { advantage, type PeerResults, type Row, shares, timeOf } from "../../bench/peers/row.ts";
import { markdownTable } from "../markdown.ts";
import { range, readResults, resultFiles, shortAdapter, threeDigits } from "./results.ts";

/** A row with what its run says of the device. */
interface Measurement extends Pick<PeerResults, "roof" | "pyTorch"> {
  readonly row: Row;
}

const ours = "sada-jem";

/** Columns' titles that are shorter than the libraries' names. */
const titles: Readonly<Partial<Record<string, string>>> = {
  "TensorFlow.js": "TF.js",
  "ONNX Runtime": "ONNX",
  "PyTorch CPU": "PyTorch",
};

/** All measurements, of each adapter and benchmark one. */
async function measurements(): Promise<Measurement[]> {
  const found = new Map<string, Measurement>();
  for (const file of await resultFiles(/^peers-.*\.json$/)) {
    const { roof, pyTorch, rows } = await readResults<PeerResults>(file);
    for (const row of rows) {
      const key = `${row.benchmark.name}, ${roof.adapter}`;
      if (found.has(key)) throw new Error(`bench/results has two files with ${key}: remove the older`);
      found.set(key, { roof, pyTorch, row });
    }
  }
  return [...found.values()];
}

/** A benchmark in as few words as the text around the table explains. */
function shortName(benchmark: Benchmark): string {
  switch (benchmark.kind) {
    case "operation": {
      const { operation, channels, size } = benchmark;
      if (operation === "matmul") return `matrix product ${size}³`;
      const what = { forward: "forward", input: "∂ input", weight: "∂ weights" }[operation];
      return `${what} ${channels} @ ${size}²`;
    }
    case "gradient":
      return `WRN-${benchmark.depth}-${benchmark.width} ∂ ${benchmark.subject}`;
    case "iteration":
      return `SADA-JEM ${benchmark.run.toUpperCase()}`;
  }
}

/** What one adapter's measurements show, as an item of a list. */
function summary(adapter: string, all: readonly Measurement[]): string {
  const ratio = (value: number) => value.toFixed(1);
  const whole = (value: number) => value.toFixed(0);
  const gains = range(all.flatMap(({ row }) => advantage(row) ?? []), ratio);
  const compute = range(all.map(({ roof }) => roof.gigaflops), whole);
  const copies = range(all.map(({ roof }) => roof.bandwidth), whole);
  const errors = (isOperation: boolean) =>
    all.filter(({ row }) => (row.benchmark.kind === "operation") === isOperation)
      .flatMap(({ row }) => Object.values(row.differences));
  return [
    `- ${adapter}: the best WebGPU peer takes ${gains} times as long.${pyTorchGain(all, ratio)}`,
    `Peaks: ${compute} GFLOP/s, copies of ${copies} GB/s.`,
    `Largest errors: ${largest(errors(true))} of operations, ${largest(errors(false))} of models.`,
  ].join(" ");
}

const largest = (errors: readonly number[]) =>
  errors.length === 0 ? "–" : Math.max(...errors).toExponential(1);

/** How PyTorch on the processor compares with this project, where both were measured. */
function pyTorchGain(all: readonly Measurement[], write: (ratio: number) => string): string {
  const gains = all.flatMap(({ row }) => {
    const time = timeOf(row, "PyTorch CPU");
    return time ? [timeOf(row, ours)!.milliseconds / time.milliseconds] : [];
  });
  const version = all.find(({ pyTorch }) => pyTorch)?.pyTorch?.version;
  return gains.length === 0 ? "" : ` PyTorch ${version} is ${range(gains, write)} times as fast.`;
}

/** The adapters' values of a cell, in the order of the list below the table. */
function cell(values: readonly (string | undefined)[]): string {
  return values.every((value) => value === undefined) ? "" : values.map((value) => value ?? "–").join(" / ");
}

function timeCell(row: Row, library: string): string | undefined {
  const time = timeOf(row, library);
  return time && `${threeDigits(time.milliseconds)}${time.right ? "" : " (off)"}`;
}

/** The table with what it shows of each adapter. */
export async function peersSection(): Promise<string> {
  const all = await measurements();
  const adapters = [...Map.groupBy(all, ({ roof }) => roof.adapter)];
  const libraries = [...new Set(all.flatMap(({ row }) => Object.keys(row.measured)))]
    .filter((name) => all.some(({ row }) => timeOf(row, name)));
  const rows = [...Map.groupBy(all, ({ row }) => row.benchmark.name).values()].map((same) => {
    const inTurn = adapters.map(([adapter]) => same.find(({ roof }) => roof.adapter === adapter));
    const cellOf = (text: (measurement: Measurement) => string | undefined) =>
      cell(inTurn.map((one) => one && text(one)));
    return [
      shortName(same[0]!.row.benchmark),
      ...libraries.map((name) => cellOf(({ row }) => timeCell(row, name))),
      cellOf(({ row }) => advantage(row)?.toFixed(1)),
      cellOf(({ row, roof }) => shares(row, roof).gigaflops.toFixed(0)),
    ];
  });
  const names = adapters.map(([adapter]) => shortAdapter(adapter)).join(" / ");
  const header = [names, ...libraries.map((name) => titles[name] ?? name), "ratio", "GFLOP/s"];
  const summaries = adapters.map(([adapter, own]) => summary(shortAdapter(adapter), own));
  return `${markdownTable(header, rows, (column) => column > 0)}\n\n${summaries.join("\n")}`;
}
