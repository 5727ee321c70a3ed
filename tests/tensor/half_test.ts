import assert from "node:assert/strict";
import { GpuError, ShapeError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { WideResNet } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { add } from "../../src/tensor/operations/arithmetic.ts";
import { conv2d } from "../../src/tensor/operations/conv2d/operation.ts";
import { dropout } from "../../src/tensor/operations/dropout.ts";
import { globalAveragePool } from "../../src/tensor/operations/global_average_pool.ts";
import { leakyRelu } from "../../src/tensor/operations/leaky_relu.ts";
import { sum } from "../../src/tensor/operations/reduce.ts";
import { concatenate, rows } from "../../src/tensor/operations/rows.ts";
import { testGpu, values } from "../kernels/harness.ts";
import { withAdapter } from "../paper_adapter.ts";

const gpu = await testGpu();
const ignore = !gpu.device.features.has("shader-f16");

Deno.test({
  name: "float16 tensors take half the bytes, and round what is written to them",
  ignore,
  async fn() {
    const context = new Context(gpu);
    const x = context.from(values(256), [2, 128], "float16");
    assert.equal(x.range().size, 512);
    const rounded = new Float32Array(new Float16Array(values(256)));
    assert.deepEqual(await x.read(), rounded);
    assert.deepEqual(await x.slice(128, [128]).read(), rounded.slice(128));
    assert.deepEqual(await x.reshape([256]).read(), rounded);
    assert.deepEqual(await rows(x, 1, 1).read(), rounded.slice(128));
    assert.deepEqual(await concatenate([x, x]).read(), Float32Array.of(...rounded, ...rounded));
    const copy = context.zeros([256], "float16");
    copy.copyFrom(x);
    assert.deepEqual(await copy.read(), rounded);
    assert.throws(() => context.zeros([256]).copyFrom(x), ShapeError);
    assert.throws(() => context.empty([6], "float16"), ShapeError);
    assert.throws(() => x.slice(64, [64]), /cannot be bound/);
  },
});

Deno.test({
  name: "operations keep float16, and their gradients are float32",
  ignore,
  async fn() {
    const context = new Context(gpu);
    const x = context.from(values(2 * 25 * 4), [2, 5, 5, 4], "float16");
    const weight = context.from(values(9 * 16, 2), [3, 3, 4, 4]);
    const bias = context.from(values(4, 3), [4]);
    const stream = context.from(Uint32Array.of(1, 0, 0, 0), [4]);
    const { value, gradients: [gradient] } = context.differentiate({ inputs: [x] }, () => {
      const activated = leakyRelu(x, 0.2);
      const output = add(conv2d(activated, weight, bias, { stride: 1, padding: 1 }), x);
      const kept = dropout(output, 0.25, stream);
      const types = [activated, output, kept].map(({ type }) => type);
      assert.deepEqual(types, ["float16", "float16", "float16"]);
      const pooled = globalAveragePool(kept);
      assert.equal(pooled.type, "float32");
      return sum(pooled);
    });
    assert.deepEqual([value.type, gradient!.type], ["float32", "float32"]);
    assert((await gradient!.read()).every((component) => Number.isFinite(component) && component !== 0));
  },
});

Deno.test("float16 is refused on an adapter without the feature", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const { limits, info } = adapter;
  const without = {
    limits,
    info,
    features: new Set(),
    requestDevice: (descriptor: GPUDeviceDescriptor) => adapter.requestDevice(descriptor),
  };
  const plain = await withAdapter(without, () => Gpu.request());
  const context = new Context(plain);
  assert.throws(() => context.empty([4], "float16"), GpuError);
  const architecture = { depth: 10, width: 1, classes: 2, channels: 1, imageSize: 8, dropout: 0 };
  const options = { norm: "batch", unconditional: false } as const;
  assert.throws(
    () => new WideResNet(context, { ...architecture, ...options }, 1, "float16"),
    /float16 needs the feature shader-f16, which .* does not have/,
  );
  plain.destroy();
});
