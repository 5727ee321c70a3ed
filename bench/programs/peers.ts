/**
 * `[WORD]... [--turns N]`: the same operations, gradients of whole models and training iterations on this project and
 * its peers, each benchmark and library in its own process. Prints tables and writes
 * `bench/results/peers-ADAPTER.json`.
 *
 * The words select benchmarks whose names contain all of them (`matmul`, `"by weight"`, `WRN-10-1`, `iteration`). Their
 * results go to a file of their own, `peers-ADAPTER-WORDS.json`. Everything is measured in several turns (3, or N), so
 * that a slow moment of the machine hits all libraries, and each one's median counts. What is measured and how results
 * are checked is described in `benchmarks.ts`, `operation_case.ts`, `gradient_case.ts` and `iteration_case.ts`.
 */

import { parseArgs } from "node:util";
import { print, UsageError, wholeNumber } from "../../src/cli/command.ts";
import { table } from "../../src/cli/format.ts";
import { adapterFamily } from "../../src/gpu/adapter_family.ts";
import { bench } from "../lib/bench.ts";
import { measureProcess, resultsFile, saveResults } from "../lib/processes.ts";
import { type Benchmark, benchmarks } from "../peers/benchmarks.ts";
import { findPyTorch, type PyTorch, type PyTorchMode } from "../peers/pytorch.ts";
import type { Roof } from "../peers/roof.ts";
import {
  advantage,
  type Measured,
  merge,
  type PeerResults,
  type Row,
  rowOf,
  shares,
  timeOf,
  webGpuPeers,
} from "../peers/row.ts";

const none = "–";

/** A library and what its process needs. */
interface Library {
  readonly name: string;
  readonly permissions: readonly string[];
  /** What follows the benchmark's name on its command line. */
  readonly args: readonly string[];
}

function librariesWith(pyTorch: PyTorch | undefined): Library[] {
  const modes: PyTorchMode[] = pyTorch?.gpu ? ["PyTorch CUDA", "PyTorch CUDA TF32"] : ["PyTorch CPU"];
  return [
    { name: "sada-jem", permissions: ["--allow-read"], args: [] },
    ...webGpuPeers.map((name) => ({
      name,
      permissions: ["--allow-read", "--allow-env", "--allow-sys"],
      args: [],
    })),
    ...(pyTorch ? modes : []).map((name) => ({
      name,
      permissions: ["--allow-read", `--allow-run=${pyTorch!.python}`],
      args: [pyTorch!.python],
    })),
  ];
}

/** Measures a benchmark on a library; a peer that fails does not end the others. */
async function measureOn({ name, permissions, args }: Library, benchmark: Benchmark): Promise<Measured> {
  try {
    return await measureProcess<Measured>(
      { script: "peers/run.ts", permissions },
      name,
      benchmark.name,
      ...args,
    );
  } catch (error) {
    if (name === "sada-jem") throw error;
    const failure = String(error);
    print(`${name} failed: ${failure}`);
    return { failure };
  }
}

async function measure(benchmark: Benchmark, libraries: readonly Library[], turns: number): Promise<Row> {
  const measured: Record<string, Measured[]> = {};
  for (let turn = 0; turn < turns; turn++) {
    for (const library of libraries) {
      (measured[library.name] ??= []).push(await measureOn(library, benchmark));
    }
  }
  const merged = Object.entries(measured).map(([name, results]) => [name, merge(results)] as const);
  return await rowOf(benchmark, Object.fromEntries(merged));
}

function timesOf(row: Row, libraries: readonly Library[], roof: Roof): string[] {
  const { gigaflops, ofPeak, gigabytes, ofBandwidth } = shares(row, roof);
  const share = (value: number | undefined) => value === undefined ? none : `${(100 * value).toFixed(0)} %`;
  return [
    row.benchmark.name,
    ...libraries.map(({ name }) => {
      const time = timeOf(row, name);
      return time === undefined ? none : `${time.milliseconds.toFixed(1)}${time.right ? "" : " (off)"}`;
    }),
    advantage(row)?.toFixed(1) ?? none,
    gigaflops.toFixed(1),
    share(ofPeak),
    row.leastBytes === null ? none : (row.leastBytes / 1e6).toFixed(1),
    gigabytes === undefined ? none : gigabytes.toFixed(2),
    share(ofBandwidth),
  ];
}

function printTables(rows: readonly Row[], libraries: readonly Library[], roof: Roof): void {
  const names = libraries.map(({ name }) => name);
  const shareNames = ["GFLOP/s", "of peak", "least MB", "GB/s", "of copies"];
  print(`\n${
    table([
      ["median ms", ...names, "best WebGPU peer / sada-jem", ...shareNames],
      ...rows.map((row) => timesOf(row, libraries, roof)),
    ])
  }`);
  print(`\n${
    table([
      ["largest difference from float64, or of models from sada-jem", ...names],
      ...rows.map(({ benchmark, differences }) => [
        benchmark.name,
        ...names.map((name) => differences[name]?.toExponential(1) ?? none),
      ]),
    ])
  }`);
}

await bench("peers", async (args) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { turns: { type: "string", default: "3" } },
    allowPositionals: true,
  });
  const turns = wholeNumber("--turns", values.turns, 1)!;
  const roof = await measureProcess<Roof>({ script: "peers/roof.ts", permissions: ["--allow-read"] });
  const pyTorch = await findPyTorch();
  print(
    `${roof.adapter}: ${roof.gigaflops.toFixed(0)} GFLOP/s of multiply-adds, copies ${
      roof.bandwidth.toFixed(0)
    } GB/s; ${pyTorch ? `PyTorch ${pyTorch.version} on ${pyTorch.gpu ?? "the CPU"}` : "no PyTorch"}`,
  );
  const isGpu = adapterFamily(roof.adapter) === "gpu";
  const chosen = benchmarks.filter(({ name, gpuOnly }) =>
    (isGpu || !gpuOnly) && positionals.every((word) => name.toLowerCase().includes(word.toLowerCase()))
  );
  if (chosen.length === 0) {
    throw new UsageError(`no benchmark's name contains ${positionals.join(" and ")}`);
  }
  const libraries = librariesWith(pyTorch);
  const file = resultsFile(["peers", roof.adapter, ...positionals].join("-"));
  const rows: Row[] = [];
  for (const benchmark of chosen) {
    rows.push(await measure(benchmark, libraries, turns));
    print(timesOf(rows.at(-1)!, libraries, roof).join("  "));
    await saveResults(file, { roof, pyTorch: pyTorch ?? null, rows } satisfies PeerResults);
  }
  printTables(rows, libraries, roof);
  print(`\nwrote ${file}`);
});
