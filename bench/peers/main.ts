/**
 * `deno task bench:peers`: the same operations on this project and its peers, in turns, one process for each case and
 * library, results checked against float64. Prints tables and writes `bench/results/peers-ADAPTER.json`.
 */

import { table } from "../../src/cli/format.ts";
import { adapterFamily } from "../../src/gpu/adapter_family.ts";
import { measureProcess, resultsFile, saveResults } from "../processes.ts";
import { type Case, type Measured, operations } from "./case.ts";
import type { Roof } from "./roof.ts";

const peers = ["TensorFlow.js", "jax-js", "ONNX Runtime"];
const libraries = ["sada-jem", ...peers];
const convolutions = [[16, 32], [64, 16], [128, 8], [160, 32], [320, 16], [640, 8]] as const;
const matrices = [512, 1024, 4096] as const;
/** What a software adapter computes in a reasonable time. */
const softwareLimits = { channels: 160, matrix: 1024 } as const;

const permissions = ["--allow-read", "--allow-env", "--allow-sys"];
const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

interface Row {
  readonly benchmark: Case;
  /** By library; null where it does not offer the operation. */
  readonly measured: Readonly<Record<string, Measured | null>>;
}

function cases(isSoftware: boolean): Case[] {
  const maps = convolutions.filter(([channels]) => !isSoftware || channels <= softwareLimits.channels);
  const sizes = matrices.filter((size) => !isSoftware || size <= softwareLimits.matrix);
  return [
    ...(["forward", "input", "weight"] as const).flatMap((operation) =>
      maps.map(([channels, size]) => ({ operation, batch: 16, channels, size }))
    ),
    ...sizes.map((size) => ({ operation: "matmul" as const, batch: 1, channels: size, size })),
  ];
}

async function measureCase(benchmark: Case): Promise<Row> {
  const { operation, batch, channels, size } = benchmark;
  const measured: Record<string, Measured | null> = {};
  for (const library of libraries) {
    const words = [library, operation, batch, channels, size].map(String);
    measured[library] = await measureProcess<Measured | null>("peers/run.ts", permissions, ...words);
  }
  return { benchmark, measured };
}

function describe({ operation, batch, channels, size }: Case): string {
  if (operation === "matmul") return `matmul ${size}³`;
  return `conv 3×3 ${
    operation === "forward" ? "" : "by "
  }${operation}, ${batch} × ${channels} → ${channels} @ ${size}²`;
}

function tableRow({ benchmark, measured }: Row, { gigaflops }: Roof): string[] {
  const ours = measured["sada-jem"]!;
  const reached = operations(benchmark) / ours.median / 1e6;
  const times = peers.map((peer) => measured[peer]?.median);
  // A result that is off by a thousandth is wrong, whatever its speed.
  const right = peers.filter((peer) => (measured[peer]?.error ?? 1) < 1e-3)
    .map((peer) => measured[peer]!.median);
  const best = right.length > 0 ? `${(Math.min(...right) / ours.median).toFixed(1)}` : "–";
  return [
    describe(benchmark),
    ours.median.toFixed(1),
    ...peers.map((peer, i) =>
      times[i] === undefined
        ? "–"
        : `${times[i]!.toFixed(1)}${measured[peer]!.error < 1e-3 ? "" : " (wrong)"}`
    ),
    best,
    reached.toFixed(1),
    `${(100 * reached / gigaflops).toFixed(0)} %`,
  ];
}

const roof = await measureProcess<Roof>("peers/roof.ts", ["--allow-read"]);
print(
  `${roof.adapter}: ${roof.gigaflops.toFixed(0)} GFLOP/s of multiply-adds, copies ${
    roof.bandwidth.toFixed(0)
  } GB/s`,
);
const rows: Row[] = [];
for (const benchmark of cases(adapterFamily(roof.adapter) !== "gpu")) {
  rows.push(await measureCase(benchmark));
  print(tableRow(rows.at(-1)!, roof).join("  "));
}
print(`\n${
  table([
    ["", "sada-jem, ms", ...peers, "best peer / sada-jem", "GFLOP/s", "of peak"],
    ...rows.map((row) => tableRow(row, roof)),
  ])
}`);
const file = resultsFile(`peers-${roof.adapter}`);
await saveResults(file, { roof, rows });
print(`\nwrote ${file}`);
