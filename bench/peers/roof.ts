/** The most that the device can do: multiply-adds in registers, and copying; prints JSON. */

import { Gpu } from "../../src/gpu/gpu.ts";
import type { Plan } from "../../src/gpu/plan.ts";
import type { Program } from "../../src/gpu/pipeline_cache.ts";
import { timeRounds } from "../lib/timing.ts";

/** Peaks of a device. */
export interface Roof {
  readonly adapter: string;
  readonly gigaflops: number;
  /** Bytes read and written, in GB/s. */
  readonly bandwidth: number;
}

const sums = Array.from({ length: 8 }, (_, i) => `s${i}`);
/** Multiply-adds to each of the sums. */
const steps = 2000;
/**
 * Steps in a turn of the loop. The best number differs: WebGPU's compilers count the turns of a loop, which takes as
 * long as many multiply-adds, and a processor's cache holds a limited number of instructions.
 */
const unrollings = [4, 8, 16] as const;

function multiplyAdds(stepsPerTurn: number): Program {
  const step = sums.map((name) => `${name} = fma(${name}, factor, vec4f(0.001));`).join(" ");
  const wgsl = `
@group(0) @binding(0) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  ${sums.map((name, i) => `var ${name} = vec4f(f32(id.x) + ${i}.0);`).join("\n  ")}
  let factor = vec4f(0.999 + f32(id.x) * 1e-9);
  for (var k = 0u; k < ${steps / stepsPerTurn}u; k++) {
    ${Array(stepsPerTurn).fill(step).join("\n    ")}
  }
  result[id.x] = ${sums.join(" + ")};
}
`;
  return { name: `roof ${stepsPerTurn}`, wgsl, entryPoint: "main", constants: {}, access: ["read-write"] };
}

/** Copies between two submissions. A single one would end before the next is encoded. */
const copiesPerRun = 8;

/** Billions of operations a second of multiply-adds in registers. */
async function measureGigaflops(gpu: Gpu): Promise<number> {
  const invocations = gpu.adapterFamily === "gpu" ? 4_194_304 : 4096;
  const size = invocations * 16;
  const result = { buffer: gpu.acquire(size).buffer, offset: 0, size };
  const seconds: number[] = [];
  for (const stepsPerTurn of unrollings) {
    const run = () => gpu.dispatch(multiplyAdds(stepsPerTurn), [result], [invocations / 64, 1, 1]);
    seconds.push(await bestTime(gpu, gpu.capture(run)));
  }
  return 2 * 4 * sums.length * steps * invocations / Math.min(...seconds) / 1e9;
}

/** GB that copies read and write a second. */
export async function measureBandwidth(gpu: Gpu): Promise<number> {
  const size = gpu.adapterFamily === "gpu" ? 2 ** 27 : 2 ** 26;
  const [source, destination] = [0, 1].map(() => ({ buffer: gpu.acquire(size).buffer, offset: 0, size }));
  const copies = gpu.capture(() => {
    for (let i = 0; i < copiesPerRun; i++) gpu.copy(source!, destination!);
  });
  return 2 * size * copiesPerRun / await bestTime(gpu, copies) / 1e9;
}

/** Seconds that a plan takes in the best of several rounds. */
export async function bestTime(gpu: Gpu, plan: Plan): Promise<number> {
  const { rounds } = await timeRounds(() => gpu.run(plan), () => gpu.device.queue.onSubmittedWorkDone());
  return Math.min(...rounds) / 1000;
}

if (import.meta.main) {
  const gpu = await Gpu.request();
  const roof: Roof = {
    adapter: gpu.adapterName,
    gigaflops: await measureGigaflops(gpu),
    bandwidth: await measureBandwidth(gpu),
  };
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(roof)));
  Deno.exit(0);
}
