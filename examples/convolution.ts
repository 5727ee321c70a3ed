// The convolution kernel in somebody else's WebGPU program, whose device, buffers and encoder these are. It takes WGSL text
// from here, and for its shape the constants, sizes and workgroups. To run it:
//     deno run examples/convolution.ts

import { conv2dForward as conv2d, entryPointOf } from "sada-jem/kernels";

const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
const size = { height: 6, width: 6, inChannels: 4, outChannels: 4 };
const shape = { batch: 1, ...size, kernel: 3, stride: 1, padding: 0 };

const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
const buffers = conv2d.bindings.map(({ bytes }) => device.createBuffer({ size: bytes(shape), usage }));
const [input, weight, , output] = buffers as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
// Grey values in the first of four channels, the fewest that the kernel takes.
const ramp = Array.from({ length: 36 }, (_, i) => [3 * (i % 6) + 5 * Math.floor(i / 6), 0, 0, 0]).flat();
device.queue.writeBuffer(input, 0, Float32Array.from(ramp));
// Four filters, tap by tap: Sobel's derivatives by x and by y, and two that are zero.
const [byX, byY] = [[-1, 0, 1, -2, 0, 2, -1, 0, 1], [-1, -2, -1, 0, 0, 0, 1, 2, 1]];
const taps = byX!.flatMap((value, i) => [value, byY![i]!, ...Array(14).fill(0)]);
device.queue.writeBuffer(weight, 0, Float32Array.from(taps));

const module = device.createShaderModule({ code: conv2d.wgsl });
const compute = { module, entryPoint: entryPointOf(conv2d, shape), constants: conv2d.constants(shape) };
const pipeline = device.createComputePipeline({ layout: "auto", compute });
const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });

const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
pass.setPipeline(pipeline);
pass.setBindGroup(0, bindGroup);
pass.dispatchWorkgroups(...conv2d.workgroups(shape));
pass.end();
const readable = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
const read = device.createBuffer({ size: output.size, usage: readable });
encoder.copyBufferToBuffer(output, 0, read, 0, output.size);
device.queue.submit([encoder.finish()]);
await read.mapAsync(GPUMapMode.READ);
const [dx, dy] = new Float32Array(read.getMappedRange());
// deno-lint-ignore no-console -- this is the program's output
console.log(`derivative by x ${dx! / 8}, by y ${dy! / 8}`);
