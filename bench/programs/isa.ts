/**
 * Compiles the kernels of an iteration of WRN-28-10 with the compilers in GPUs' drivers, which need no GPU, and prints
 * the results: registers, workgroup memory, and the instructions of the loops that take the time.
 */

import { parseArgs } from "node:util";
import { projectFolder } from "../../scripts/tasks.ts";
import { print, UsageError } from "../../src/cli/command.ts";
import type { GpuKind } from "../../src/kernels/gpu_kind.ts";
import { amdCompilers } from "../isa/amd/compilers.ts";
import { capture, type Captured } from "../isa/capture/capture.ts";
import type { Compiler } from "../isa/compiler.ts";
import { intelCompilers } from "../isa/intel/anv.ts";
import { kernelName } from "../isa/names.ts";
import { nvidiaCompilers } from "../isa/nvidia/compilers.ts";
import { type KernelTable, kernelTable, resultsPath, saveResults } from "../isa/results.ts";
import { byDawn, byDeno, peers, type Source } from "../isa/sources.ts";
import { buildTools, requirePackages, ToolError, type Tools } from "../isa/tools.ts";
import { bench } from "../lib/bench.ts";

const folder = `${projectFolder}runs/isa`;

/** What the arguments choose. */
interface Chosen {
  readonly sources: readonly Source[];
  readonly compilers: readonly Compiler[];
  /** Words that a kernel's name must contain. */
  readonly words: readonly string[];
  /** Whether all kernels are compiled for all GPUs. */
  readonly isAll: boolean;
}

function chosenBy(args: readonly string[]): Chosen {
  const boolean = { type: "boolean", default: false } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { dawn: boolean, intel: boolean, peers: boolean },
    allowPositionals: true,
  });
  const compilers = [...amdCompilers, ...nvidiaCompilers, ...values.intel ? intelCompilers : []];
  const named = compilers.filter(({ gpu }) => positionals.includes(gpu));
  return {
    sources: [byDeno, ...values.dawn ? [byDawn] : [], ...values.peers ? peers : []],
    compilers: named.length > 0 ? named : compilers,
    words: positionals.filter((word) => !compilers.some(({ gpu }) => gpu === word)),
    isAll: positionals.length === 0,
  };
}

/** The pipelines whose names contain all words. */
function withWords(captured: Captured, words: readonly string[]): Captured {
  const pipelines = captured.pipelines.filter((pipeline) =>
    words.every((word) => kernelName(pipeline).includes(word))
  );
  return { ...captured, pipelines };
}

/** Removes what an earlier run captured. */
async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A source's pipelines, and their folder. */
interface Dump {
  readonly folder: string;
  readonly captured: Captured;
}

/**
 * Captures a source for a kind of GPU, or says why it is left out. Without the iteration by Deno there is nothing left.
 */
async function captureSource(
  tools: Tools,
  source: Source,
  kind: GpuKind | undefined,
  words: readonly string[],
): Promise<Dump | undefined> {
  const { name, subject, webgpu, title } = source;
  const dump = `${folder}/${[name, ...kind ? [kind] : []].join("-")}`;
  await removeFolder(dump);
  try {
    const captured = await capture(tools, dump, subject, { webgpu, kind });
    return { folder: dump, captured: withWords(captured, words) };
  } catch (error) {
    if (!(error instanceof ToolError) || source === byDeno) throw error;
    print(`\n${title} is left out: ${error.message}`);
    return undefined;
  }
}

/** Compiles a source for each GPU; prints and returns the results. */
async function compileSource(
  tools: Tools,
  source: Source,
  { compilers, words }: Chosen,
): Promise<Record<string, KernelTable>> {
  const results: Record<string, KernelTable> = {};
  const dumps = new Map<GpuKind | undefined, Dump>();
  for (const { gpu, title, kind: ofGpu, compile } of compilers) {
    // Peers know no kinds.
    const kind = source.subject === "iteration" ? ofGpu : undefined;
    const dump = dumps.get(kind) ?? await captureSource(tools, source, kind, words);
    if (!dump) return results;
    dumps.set(kind, dump);
    if (dump.captured.pipelines.length === 0) {
      // Peers have other names.
      if (source.subject !== "iteration") return results;
      throw new UsageError(`no kernel's name contains ${words.join(" and ")}`);
    }
    const compiled = await compile({ tools, ...dump, out: `${dump.folder}/${gpu}` });
    if (typeof compiled === "string") {
      print(`\n${title} is left out: ${compiled}`);
      continue;
    }
    print(`\n${title}, ${source.title}, ${compiled.compiler}\n\n${compiled.table}`);
    results[gpu] = kernelTable(compiled.compiler, compiled.kernels);
  }
  return results;
}

await bench("isa", async (args) => {
  const chosen = chosenBy(args);
  await requirePackages();
  const tools = await buildTools(`${folder}/tools`);
  const results: Record<string, Record<string, KernelTable>> = {};
  for (const source of chosen.sources) {
    results[source.name] = await compileSource(tools, source, chosen);
  }
  print("\nthe assembly is in runs/isa/");
  if (!chosen.isAll) return;
  await saveResults(results);
  print(`wrote ${resultsPath}`);
});
