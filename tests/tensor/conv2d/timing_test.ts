import assert from "node:assert/strict";
import { clockOf } from "../../../src/gpu/time_in_turns.ts";
import { Gpu } from "../../../src/gpu/gpu.ts";
import type { Conv2dShape } from "../../../src/kernels/conv2d/shape.ts";
import type { ShapeLimits } from "../../../src/kernels/limits.ts";
import { Context } from "../../../src/tensor/context.ts";
import { directions } from "../../../src/tensor/operations/conv2d/algorithm.ts";
import { conv2dCandidates } from "../../../src/tensor/operations/conv2d/candidates.ts";
import { timeConv2d } from "../../../src/tensor/operations/conv2d/timing.ts";
import { forFamily } from "../../opengl.ts";

const large = {
  batch: 8,
  height: 16,
  width: 16,
  inChannels: 32,
  outChannels: 32,
  kernel: 3,
  stride: 1,
  padding: 1,
};

Deno.test("timeConv2d() times every candidate by either clock, and leaves nothing behind", async () => {
  const gpu = await Gpu.request("lavapipe");
  const context = new Context(gpu);
  const names = conv2dCandidates(gpu, large).forward.map(({ name }) => name);
  assert(names.length > 1);
  const held = gpu.pool.liveBytes;
  for (const clock of new Set([clockOf(gpu), "host"] as const)) {
    const times = await timeConv2d(context, "forward", large, { clock });
    assert.deepEqual(times.map(({ name }) => name), names);
    for (const { milliseconds } of times) {
      assert(milliseconds > 0 && milliseconds < 10_000, `${milliseconds} ms`);
    }
  }
  assert.equal(gpu.pool.liveBytes, held);
  gpu.destroy();
});

Deno.test("timeConv2d() finds that 64 times the work takes longer", async () => {
  const gpu = await Gpu.request("lavapipe");
  const context = new Context(gpu);
  const small = { ...large, batch: 1, height: 4, width: 8 };
  for (const direction of directions) {
    const [fast] = await timeConv2d(context, direction, small);
    const [slow] = await timeConv2d(context, direction, large);
    assert(slow!.milliseconds > 2 * fast!.milliseconds, direction);
  }
  gpu.destroy();
});

Deno.test({
  ...forFamily("gpu", "timeConv2d() leaves out candidates beyond a limit of the device, but for the default"),
  async fn() {
    const gpu = await Gpu.request("gpu");
    const context = new Context(gpu);
    const names = async (shape: Conv2dShape) =>
      (await timeConv2d(context, "gradientWeight", shape)).map(({ name }) => name);
    // The compact kernel needs a workgroup for 32 weights of each of four parts, the other kernels one for 1024 or
    // more. The sum of the parts needs one for 32 weights.
    const products = {
      ...large,
      batch: 1,
      height: 32,
      width: 32,
      inChannels: 64,
      outChannels: 64,
      kernel: 1,
      padding: 0,
    };
    const all = conv2dCandidates(gpu, products).gradientWeight.map(({ name }) => name);
    limit(gpu, { maxComputeWorkgroupsPerDimension: 256 });
    assert.deepEqual(await names(products), all.filter((name) => name !== "compact"));
    // There are two parts of 147,456 bytes each.
    limit(gpu, { maxComputeWorkgroupsPerDimension: 65_535, maxStorageBufferBindingSize: 200_000 });
    const wide = { ...large, height: 8, width: 8, inChannels: 64, outChannels: 64 };
    await assert.rejects(names(wide), /conv2d_gradient_weight: operand partials needs 294912 bytes/);
    gpu.destroy();
  },
});

/** Makes a device report lower limits. */
function limit({ device }: Gpu, limits: Partial<Record<keyof ShapeLimits, number>>): void {
  const {
    maxBufferSize,
    maxStorageBufferBindingSize,
    maxComputeWorkgroupsPerDimension,
    maxTextureDimension2D,
  } = device.limits;
  const value = {
    maxBufferSize,
    maxStorageBufferBindingSize,
    maxComputeWorkgroupsPerDimension,
    maxTextureDimension2D,
    ...limits,
  };
  Object.defineProperty(device, "limits", { value, configurable: true });
}
