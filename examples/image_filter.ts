/// <reference lib="dom" />
/**
 * Filters what a canvas or a camera shows, frame by frame, by the convolution kernel that compiles at once on software
 * adapters too. To make dist/examples/image_filter.html, which a browser opens from the disk:
 *
 *     ./run build
 */

import { compile, conv2dForwardCompact, type Dispatch } from "sada-jem/kernels";

const size = 160;
const shape = {
  ...{ batch: 1, height: size, width: size, inChannels: 4, outChannels: 4 },
  ...{ kernel: 3, stride: 1, padding: 1 },
};

/** Weights of 3 × 3 pixels. */
const filters: Readonly<Record<string, readonly number[]>> = {
  none: [0, 0, 0, 0, 1, 0, 0, 0, 0],
  blur: [1, 2, 1, 2, 4, 2, 1, 2, 1].map((tap) => tap / 16),
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  edges: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
  emboss: [-2, -1, 0, -1, 1, 1, 0, 1, 2],
};

function element<Type extends HTMLElement>(id: string): Type {
  return document.getElementById(id) as Type;
}

/** The weights of all channels: each colour is filtered by itself, opacity is left as it is. */
function weightsOf(taps: readonly number[]): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 9 * 4 * 4 }, (_, i) => {
    const [tap, from, to] = [Math.floor(i / 16), Math.floor(i / 4) % 4, i % 4];
    if (from !== to) return 0;
    return from < 3 ? taps[tap]! : Number(tap === 4);
  });
}

/** Draws discs that go round, or what the camera shows. */
function paint(context: CanvasRenderingContext2D, video: HTMLVideoElement | undefined, time: number): void {
  if (video) return context.drawImage(video, 0, 0, size, size);
  context.fillStyle = "#d8e6f0";
  context.fillRect(0, 0, size, size);
  for (let i = 0; i < 7; i++) {
    const angle = i + time / 2000;
    context.fillStyle = `hsl(${50 * i} 80% 45%)`;
    context.beginPath();
    context.arc(80 + 45 * Math.cos(angle), 80 + 45 * Math.sin(angle), 12 + 3 * i, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The convolution on a device of the page. */
class ImageFilter {
  readonly #device: GPUDevice;
  readonly #input: GPUBuffer;
  readonly #weight: GPUBuffer;
  readonly #output: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #convolve: Dispatch;

  constructor(device: GPUDevice) {
    this.#device = device;
    const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
    const [input, weight, bias, output] = conv2dForwardCompact.bindings.map(({ bytes }) =>
      device.createBuffer({ size: bytes(shape), usage: STORAGE | COPY_DST | COPY_SRC })
    ) as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
    [this.#input, this.#weight, this.#output] = [input, weight, output];
    this.#staging = device.createBuffer({ size: output.size, usage: MAP_READ | COPY_DST });
    this.#convolve = compile(device, conv2dForwardCompact, shape).bind({ input, weight, bias, output });
  }

  /** Filters a frame, which is overwritten. */
  async apply(taps: readonly number[], { data }: ImageData): Promise<void> {
    const { queue } = this.#device;
    queue.writeBuffer(this.#input, 0, Float32Array.from(data));
    queue.writeBuffer(this.#weight, 0, weightsOf(taps));
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.#convolve(pass);
    pass.end();
    encoder.copyBufferToBuffer(this.#output, 0, this.#staging, 0, this.#staging.size);
    queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ);
    data.set(new Float32Array(this.#staging.getMappedRange()));
    this.#staging.unmap();
  }
}

async function main(): Promise<void> {
  const message = element<HTMLOutputElement>("message");
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) {
    message.value = "This browser has no WebGPU; a current Chrome, Edge, Firefox or Safari has.";
    return;
  }
  const filter = new ImageFilter(await adapter.requestDevice());
  const select = element<HTMLSelectElement>("filter");
  for (const name of Object.keys(filters)) select.append(new Option(name));
  let video: HTMLVideoElement | undefined;
  element<HTMLButtonElement>("camera").onclick = async () => {
    const camera = document.createElement("video");
    try {
      camera.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 320 } });
      await camera.play();
      video = camera;
    } catch (error) {
      message.value = `No camera: ${error instanceof Error ? error.message : error}`;
    }
  };

  const source = element<HTMLCanvasElement>("source").getContext("2d", { willReadFrequently: true })!;
  const filtered = element<HTMLCanvasElement>("filtered").getContext("2d")!;
  const still = location.search === "?still";
  message.value = "";
  for (;;) {
    const name = select.value;
    paint(source, video, still ? 0 : performance.now());
    const frame = source.getImageData(0, 0, size, size);
    await filter.apply(filters[name]!, frame);
    filtered.putImageData(frame, 0, 0);
    document.body.dataset["shown"] = name;
    await new Promise(requestAnimationFrame);
  }
}

void main();
