/// <reference lib="dom" />
/**
 * A texture generator: stochastic gradient Langevin dynamics on a small energy of neighbouring pixels,
 *
 *     E(x) = Σ ¼ x⁴ − ½ Σ x · (W ∗ x),    x ← clamp(x − α · ∇E(x) + σ · ε, −1, 1),    ∇E(x) = x³ − W ∗ x,
 *
 * on the kernels alone. Every pixel wants to be dark or bright, and W says how it wants to agree with its neighbours. Four
 * channels, coupled weakly, mix the colours. To make dist/examples/texture.html, which a browser opens from the disk
 * (`texture.html?steps=100` stops after 100 steps):
 *
 *     ./run build
 */

import {
  compile,
  conv2dGradientInputCompact,
  type Dispatch,
  forkStream,
  multiply,
  multiplyInto,
  philoxNormal,
  sgldStep,
} from "sada-jem/kernels";

const size = 128;
const length = size * size * 4;
const stepSize = 0.2;
/** Steps for each picture; an even number, for the two buffers of images take turns. */
const stepsPerFrame = 4;
/** How much a channel of a pixel wants to agree with the other ones. */
const coupling = 0.06;

/** Weights of a pixel's 3 × 3 neighbourhood; the same from both ends of a pair, for W is the matrix of a form. */
const textures: Readonly<Record<string, readonly number[]>> = {
  patches: [0.05, 0.2, 0.05, 0.2, 0.1, 0.2, 0.05, 0.2, 0.05],
  stripes: [-0.1, -0.25, -0.1, 0.6, 0.3, 0.6, -0.1, -0.25, -0.1],
  weave: [0.4, -0.25, -0.3, -0.25, 0.5, -0.25, -0.3, -0.25, 0.4],
};

function element<Type extends HTMLElement>(id: string): Type {
  return document.getElementById(id) as Type;
}

/** W for all channels, [ky, kx, in, out]. */
function weightsOf(taps: readonly number[]): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 9 * 4 * 4 }, (_, i) => {
    const [tap, from, to] = [Math.floor(i / 16), Math.floor(i / 4) % 4, i % 4];
    return from === to ? taps[tap]! : coupling * Number(tap === 4);
  });
}

/** The chain's buffers and what runs a step on them. */
class Generator {
  readonly #device: GPUDevice;
  readonly #buffers: Readonly<Record<"even" | "odd" | "drift" | "squares" | "noise", GPUBuffer>>;
  readonly #weight: GPUBuffer;
  readonly #stream: GPUBuffer;
  readonly #child: GPUBuffer;
  readonly #staging: GPUBuffer;
  #steps: readonly Dispatch[][] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = (bytes: number) => device.createBuffer({ size: bytes, usage });
    const image = () => buffer(4 * length);
    this.#buffers = { even: image(), odd: image(), drift: image(), squares: image(), noise: image() };
    this.#weight = buffer(4 * 9 * 16);
    this.#stream = buffer(16);
    this.#child = buffer(16);
    const readable = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    this.#staging = device.createBuffer({ size: 4 * length, usage: readable });
  }

  /** Starts at a grey image. */
  start(taps: readonly number[], noiseScale: number, seed: number): void {
    const { queue } = this.#device;
    queue.writeBuffer(this.#buffers.even, 0, new Float32Array(length));
    queue.writeBuffer(this.#weight, 0, weightsOf(taps));
    queue.writeBuffer(this.#stream, 0, Uint32Array.of(seed, 0, 0, 0));
    const { even, odd } = this.#buffers;
    this.#steps = [this.#step(even, odd, noiseScale), this.#step(odd, even, noiseScale)];
  }

  /** Some steps, and the image after them, `[size, size, 4]`. */
  async advance(): Promise<Float32Array> {
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let step = 0; step < stepsPerFrame; step++) {
      for (const dispatch of this.#steps[step % 2]!) dispatch(pass);
    }
    pass.end();
    encoder.copyBufferToBuffer(this.#buffers.even, 0, this.#staging, 0, 4 * length);
    this.#device.queue.submit([encoder.finish()]);
    await this.#staging.mapAsync(GPUMapMode.READ);
    const image = new Float32Array(this.#staging.getMappedRange().slice());
    this.#staging.unmap();
    return image;
  }

  #step(image: GPUBuffer, next: GPUBuffer, noiseScale: number): Dispatch[] {
    const device = this.#device;
    const { drift, squares, noise } = this.#buffers;
    const convolution = {
      ...{ batch: 1, height: size, width: size, inChannels: 4, outChannels: 4 },
      ...{ kernel: 3, stride: 1, padding: 1, accumulate: false },
    };
    const noNested = { innerSteps: 0, innerStepSize: 0, innerClamp: Infinity };
    const step = { length, stepSize, gradientClamp: Infinity, noiseScale, ...noNested };
    return [
      compile(device, forkStream, {}).bind({ stream: this.#stream, child: this.#child }),
      compile(device, philoxNormal, { length, purpose: 0 }).bind({ stream: this.#child, values: noise }),
      // W is symmetric, so W ∗ x is the gradient of such a convolution with respect to its input.
      compile(device, conv2dGradientInputCompact, convolution).bind({
        outputGradient: image,
        weight: this.#weight,
        inputGradient: drift,
      }),
      compile(device, multiply, { length }).bind({ first: image, second: image, product: squares }),
      compile(device, multiplyInto, { length, factor: -1 }).bind({
        first: squares,
        second: image,
        target: drift,
      }),
      compile(device, sgldStep, step).bind({ image, gradient: drift, noise, next }),
    ];
  }
}

/** The colour of a grey image, and what each channel adds to red, green and blue. */
const grey = [150, 125, 105];
const pigments = [[60, 55, 45], [25, -5, -20], [-15, 15, 5], [5, 10, 25]] as const;

/** Shows an image of values in [−1, 1], `[size, size, 4]`. */
function show(context: CanvasRenderingContext2D, image: Float32Array): void {
  const bytes = Uint8ClampedArray.from({ length }, (_, i) => {
    const [pixel, colour] = [i - i % 4, i % 4];
    if (colour === 3) return 255;
    return pigments.reduce((sum, pigment, c) => sum + pigment[colour]! * image[pixel + c]!, grey[colour]!);
  });
  context.putImageData(new ImageData(bytes, size, size), 0, 0);
}

async function main(): Promise<void> {
  const message = element<HTMLOutputElement>("message");
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) {
    message.value = "This browser has no WebGPU; a current Chrome, Edge, Firefox or Safari has.";
    return;
  }
  const generator = new Generator(await adapter.requestDevice());
  const select = element<HTMLSelectElement>("texture");
  for (const name of Object.keys(textures)) select.append(new Option(name));
  const noise = element<HTMLInputElement>("noise");
  const context = element<HTMLCanvasElement>("canvas").getContext("2d")!;
  let seed = 1;
  let frames = 0;
  const restart = () => {
    frames = 0;
    generator.start(textures[select.value]!, Number(noise.value), seed);
  };
  select.onchange = noise.oninput = restart;
  element<HTMLButtonElement>("again").onclick = () => {
    seed++;
    restart();
  };
  restart();
  const most = Number(new URLSearchParams(location.search).get("steps") ?? Infinity);
  for (;;) {
    await new Promise(requestAnimationFrame);
    if (frames * stepsPerFrame >= most) continue;
    frames++;
    const steps = `${select.value}, ${frames * stepsPerFrame} steps, seed ${seed}`;
    show(context, await generator.advance());
    message.value = steps;
  }
}

void main();
