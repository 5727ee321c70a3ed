import assert from "node:assert/strict";
import { CheckpointError, ConfigurationError } from "../../src/errors.ts";
import { inferArchitecture, readModel, writeModel } from "../../src/nn/state_dict.ts";
import {
  activationTypes,
  type Architecture,
  evaluation,
  training,
  WideResNet,
} from "../../src/nn/wide_resnet.ts";
import type { AdapterFamily } from "../../src/gpu/adapter_family.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { normNames } from "../../src/nn/norms.ts";
import { Context } from "../../src/tensor/context.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { rootMeanSquareError, testGpu, values } from "../kernels/harness.ts";

const small: Architecture = {
  depth: 10,
  width: 1,
  classes: 10,
  channels: 3,
  imageSize: 32,
  norm: "batch",
  dropout: 0,
  unconditional: false,
};

const parameterCount = ({ parameters }: WideResNet) =>
  parameters.all.reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0);

Deno.test("WideResNet has the official numbers of parameters", async () => {
  const context = new Context(await testGpu());
  const counts: [Partial<Architecture>, number][] = [[{}, 78_251], [{ depth: 16, width: 4 }, 2_751_403]];
  for (const [change, count] of counts) {
    assert.equal(parameterCount(new WideResNet(context, { ...small, ...change }, 1)), count);
  }
});

// The data sets have images of 8, 28 and 32 pixels. Other tests use those.
Deno.test("WideResNet classifies images of odd sizes, of 64 pixels, and of any number of channels and classes", async () => {
  const context = new Context(await testGpu());
  for (const [imageSize, channels, classes] of [[17, 5, 1], [64, 3, 11]] as const) {
    const model = new WideResNet(context, { ...small, imageSize, channels, classes }, 1);
    const images = context.from(values(2 * imageSize ** 2 * channels), [2, imageSize, imageSize, channels]);
    const logits = await model.classify(images, training).read();
    assert.equal(logits.length, 2 * classes);
    assert(logits.every(Number.isFinite));
    assert.deepEqual(
      await model.classify(images, evaluation).read(),
      await model.classify(images, evaluation).read(),
    );
  }
});

const families: readonly AdapterFamily[] = ["gpu", "lavapipe", "slow-compiler"];

// Every stored tensor is rounded by at most 2⁻¹¹ of its values, 2⁻¹¹ / √3 in the root mean square. The stem, six
// tensors in each of three blocks and the last norm add up to less than 25^½ times that.
for (const family of families) {
  Deno.test({
    name: `WideResNet computes the same with float16 activations but for their rounding (${family})`,
    ignore: !(await testGpu()).device.features.has("shader-f16"),
    async fn() {
      const gpu = await Gpu.request(family);
      const context = new Context(gpu);
      const images = context.from(values(8 * 13 ** 2 * 3), [8, 13, 13, 3]);
      // Norms have only one family of kernels, except for textures.
      for (const norm of family === "lavapipe" ? normNames : ["batch"] as const) {
        const architecture: Architecture = { ...small, imageSize: 13, norm };
        const [exact, rounded] = await Promise.all(activationTypes.map(async (activations) => {
          const model = new WideResNet(context, architecture, 1, activations);
          model.initialiseNorms(images);
          const stages: Tensor[] = [];
          using features = model.features(images, training, (_, output) => stages.push(output.retain()));
          assert(stages.every(({ type }) => type === activations));
          return await Promise.all([...stages, features].map((tensor) => tensor.read()));
        }));
        exact!.forEach((stage, i) => {
          const error = rootMeanSquareError(rounded![i]!, stage);
          assert(error > 0 && error < 5 * 2 ** -11 / Math.sqrt(3), `${norm}, stage ${i}: ${error}`);
        });
      }
      gpu.destroy();
    },
  });
}

Deno.test("WideResNet initialises by the seed alone, within ±1/√fan_in, norms at 1 and 0", async () => {
  const context = new Context(await testGpu());
  const state = await readModel(new WideResNet(context, small, 5));
  const again = await readModel(new WideResNet(context, small, 5));
  const other = await readModel(new WideResNet(context, small, 6));
  assert.deepEqual(state, again);
  const weight = state.get("f.layer2.0.conv1.weight")!.data;
  assert.notDeepEqual(weight, other.get("f.layer2.0.conv1.weight")!.data);
  const bound = 1 / Math.sqrt(16 * 9);
  const largest = Math.max(...weight.map(Math.abs));
  assert(largest <= bound && largest > 0.98 * bound);
  assert(state.get("f.bn1.weight")!.data.every((value) => value === 1));
  assert(state.get("f.bn1.bias")!.data.every((value) => value === 0));
});

Deno.test("readModel() and writeModel() carry a model over, and inferArchitecture() recognises it", async () => {
  const context = new Context(await testGpu());
  const state = await readModel(new WideResNet(context, { ...small, depth: 16, width: 2, classes: 7 }, 5));
  const architecture = inferArchitecture(state);
  assert.deepEqual(architecture, { ...small, depth: 16, width: 2, classes: 7 });
  const copy = new WideResNet(context, architecture, 9);
  writeModel(copy, state);
  assert.deepEqual(await readModel(copy), state);
});

Deno.test("writeModel() names the tensor that is missing, misshapen or not finite", async () => {
  const context = new Context(await testGpu());
  const model = new WideResNet(context, small, 1);
  const name = "f.layer1.0.conv1.bias";
  const damaged: [(state: Map<string, { shape: number[]; data: Float32Array }>) => void, RegExp][] = [
    [(state) => state.delete(name), /conv1\.bias is missing/],
    [
      (state) => state.set(name, { shape: [4], data: new Float32Array(4) }),
      /has shape \[4\], expected \[16\]/,
    ],
    [(state) => state.set(name, { shape: [16], data: new Float32Array(16).fill(NaN) }), /holds NaN/],
  ];
  for (const [damage, message] of damaged) {
    const state = await readModel(model) as Map<string, { shape: number[]; data: Float32Array }>;
    damage(state);
    assert.throws(() => writeModel(model, state), (error) => {
      assert(error instanceof CheckpointError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("WideResNet refuses impossible architectures by name", async () => {
  const context = new Context(await testGpu());
  const wrong: [Partial<Architecture>, RegExp][] = [
    [{ depth: 12 }, /depth must be 6n \+ 4/],
    [{ width: 0 }, /width/],
    [{ channels: 0 }, /channels/],
    [{ dropout: 1 }, /dropout/],
    [{ imageSize: 65 }, /8 to 64/],
    [{ classes: 0 }, /classes/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => new WideResNet(context, { ...small, ...change }, 1), (error) => {
      assert(error instanceof ConfigurationError);
      assert.match(error.message, message);
      return true;
    });
  }
});
