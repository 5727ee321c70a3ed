/** Loaded before each file of tests by the task test:dawn: puts Dawn in the place of Deno's WebGPU. */

import { useDawn } from "../src/cli/dawn/dawn.ts";

await useDawn();
// Where there is no adapter, all tests end here in one line.
await navigator.gpu.requestAdapter();
