/**
 * Creates the pipelines of a subject under the layer that writes them to FOLDER, and prints what they are as JSON:
 * `main.ts FOLDER SUBJECT deno|dawn [KIND]`, run by `capture.ts`.
 */

import { GpuError } from "../../../src/errors.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import type { GpuKind } from "../../../src/kernels/gpu_kind.ts";
import type { Captured, Refused, WebGpu } from "./capture.ts";
import { recordPipelines } from "./record.ts";
import { recordIteration, runPeer, type Subject } from "./subjects.ts";

const [folder, subject, webgpu, kind] = Deno.args as [string, Subject, WebGpu, GpuKind?];
if (webgpu === "dawn") (await import("./dawn.ts")).useDawn();
const recording = recordPipelines(folder);

async function captured(): Promise<Captured | Refused> {
  if (subject === "tensorflow.js" || subject === "jax-js") {
    return { subject, pipelines: await runPeer(subject, recording) };
  }
  try {
    const gpu = await Gpu.request("gpu", kind);
    await recordIteration(gpu, recording, subject === "short-iteration");
    gpu.throwIfFailed();
    return { subject, pipelines: recording.pipelines };
  } catch (error) {
    if (error instanceof GpuError) return { refused: error.message };
    throw error;
  }
}

Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(await captured())));
// Peers keep the device busy.
Deno.exit(0);
