// A single kernel, first on the host's values, then on a program's own device and buffers and in its own pass. To run it:
//     deno run examples/kernels.ts
// deno-lint-ignore-file no-console -- this is the program's output

import { conv2dForward, conv2dSizes, run } from "sada-jem/kernels";

const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
const images = { batch: 1, height: 3, width: 3, inChannels: 4, outChannels: 4 };
const shape = { ...images, kernel: 3, stride: 1, padding: 1 };
const sizes = conv2dSizes(shape); // numbers of elements: images are [N, H, W, C], weights [k, k, in, out]
const [input, weight] = [new Float32Array(sizes.input).fill(1), new Float32Array(sizes.weight).fill(1)];
const bias = Float32Array.of(0, 0, 0, 100);
const { output } = await run(conv2dForward, shape, { input, weight, bias, output: sizes.output }, device);
console.log("the centre's four channels:", ...output.subarray(16, 20));

import { compile } from "sada-jem/kernels";

const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
const upload = (values: Float32Array<ArrayBuffer>) => {
  const buffer = device.createBuffer({ size: values.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
};
const written = upload(new Float32Array(sizes.output));
const operands = { input: upload(input), weight: upload(weight), bias: upload(bias), output: written };
const convolve = compile(device, conv2dForward, shape).bind(operands);
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
convolve(pass); // sets pipeline and bind group, and dispatches
pass.end();
device.queue.submit([encoder.finish()]); // `written` then holds the same numbers
