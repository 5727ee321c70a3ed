import type { WebGpu } from "./capture/capture.ts";
import type { Subject } from "./capture/subjects.ts";

/** What is compiled: a subject, as one WebGPU turns it into SPIR-V. */
export interface Source {
  /** Name in the results, and of the folder with the assembly. */
  readonly name: string;
  readonly title: string;
  readonly subject: Subject;
  readonly webgpu: WebGpu;
}

/** The iteration as Deno compiles it. */
export const byDeno: Source = {
  name: "deno",
  title: "an iteration of WRN-28-10 by Deno's WebGPU",
  subject: "iteration",
  webgpu: "deno",
};

/** The iteration as browsers with Dawn compile it. */
export const byDawn: Source = {
  ...byDeno,
  name: "dawn",
  title: "an iteration of WRN-28-10 by Dawn",
  webgpu: "dawn",
};

/** Other libraries, on Deno's WebGPU. */
export const peers: readonly Source[] = (["tensorflow.js", "jax-js"] as const).map((subject) => ({
  name: subject,
  title: `a 3×3 convolution of 160 channels and its gradients by ${subject}`,
  subject,
  webgpu: "deno",
}));
