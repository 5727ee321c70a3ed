// Gives Node the WebGPU that browsers and Deno have: Dawn, from the npm package webgpu. `node --import` runs it before a program.

import { create, globals } from "webgpu";

Object.assign(globalThis, globals);
Object.defineProperty(navigator, "gpu", { value: create([]) });
