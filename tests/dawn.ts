/** The task test:dawn loads this before each test file. It replaces Deno's WebGPU with Dawn. */

import { useDawn } from "../src/cli/dawn/dawn.ts";

await useDawn();
await navigator.gpu.requestAdapter();
