/// <reference lib="dom" />
/**
 * The page that draws a hundred images from a model file that is chosen. To make dist/examples/sample.html, which a browser
 * opens from the disk:
 *
 *     ./run build
 */

import type { ByteImage } from "sada-jem";
import { drawSamples } from "./sample_chains.ts";

const input = document.getElementById("model") as HTMLInputElement;
const message = document.getElementById("message") as HTMLOutputElement;
const canvas = document.getElementById("samples") as HTMLCanvasElement;

/** Shows a picture as large as it is. */
function show({ width, height, channels, data }: ByteImage): void {
  [canvas.width, canvas.height] = [width, height];
  const bytes = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => {
    const [pixel, colour] = [Math.floor(i / 4), i % 4];
    return colour === 3 ? 255 : data[channels * pixel + (channels === 3 ? colour : 0)]!;
  });
  canvas.getContext("2d")!.putImageData(new ImageData(bytes, width, height), 0, 0);
}

async function draw(file: File): Promise<void> {
  input.disabled = true;
  message.value = "Compiling the kernels …";
  try {
    const energy = await drawSamples(new Uint8Array(await file.arrayBuffer()), (picture, step) => {
      show(picture);
      message.value = `Step ${step}`;
    });
    message.value = `A hundred images of mean energy ${energy.toFixed(2)}`;
  } catch (error) {
    message.value = error instanceof Error ? error.message : String(error);
  } finally {
    input.disabled = false;
  }
}

input.onchange = () => {
  const [file] = input.files ?? [];
  if (file) void draw(file);
};
