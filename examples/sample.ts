// Draws a hundred images from a model into samples.png, in Deno or in Node. To run it, with another model's path behind it or
// with the bundled one:
//     deno run --allow-read=data --allow-write=samples.png examples/sample.ts
// Node, from version 22 on, takes the package and the program that the build makes, and for WebGPU Dawn, the npm package webgpu:
//     ./run build
//     npm install --no-save --install-links ./dist webgpu@0.6.2
//     node --import ./examples/webgpu_node.mjs dist/examples/sample.mjs

import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { type ByteImage, encodePng } from "sada-jem";
import { drawSamples } from "./sample_chains.ts";

const [, , path = "data/models/digits.safetensors"] = process.argv;
try {
  let last: ByteImage | undefined;
  const energy = await drawSamples(await readFile(path), (picture) => last = picture);
  await writeFile("samples.png", encodePng(last!));
  process.stdout.write(`a hundred images of mean energy ${energy.toFixed(2)} in samples.png\n`);
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
