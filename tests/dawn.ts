/** Loaded before each file of tests by the task test:dawn: puts Dawn in the place of Deno's WebGPU. */

import { useDawn } from "../src/cli/dawn/dawn.ts";

await useDawn();
await navigator.gpu.requestAdapter();
