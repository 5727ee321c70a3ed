/** jax-js, whose images are `[N, C, H, W]` and weights `[out, in, 3, 3]`. */

import { type Array as JaxArray, defaultDevice, grad, init, jit, lax, numpy as np } from "@jax-js/jax";
import { imagesToPyTorch } from "../../src/formats/pytorch/layout.ts";
import { JaxResults } from "./jax_results.ts";
import type { Prepare } from "./operation_case.ts";

type Convolution = (x: JaxArray, w: JaxArray) => JaxArray;

const convolve: Convolution = (x, w) => lax.convGeneralDilated(x, w, [1, 1], [[1, 1], [1, 1]]);

/** Compiled by `jit`. A gradient is that of Σ convolution · outputGradient, whose forward pass `jit` leaves out. */
export const prepare: Prepare = async ({ operation, batch, channels, size }, operands) => {
  await init("webgpu");
  defaultDevice("webgpu");
  if (operation === "matmul") {
    const [left, right] = [operands.input, operands.weight].map((values) =>
      np.array(values, { shape: [size, size] })
    ) as [JaxArray, JaxArray];
    return calls(jit(np.matmul), [left, right], (values) => values);
  }
  const nchw = (values: Float32Array) => {
    const { shape, data } = imagesToPyTorch({ shape: [batch, size, size, channels], data: values });
    return np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape] });
  };
  const x = nchw(operands.input);
  const w = np.transpose(np.array(operands.weight, { shape: [3, 3, channels, channels] }), [3, 2, 0, 1]);
  if (operation === "forward") return calls(jit(convolve), [x, w], fromImages);
  const dy = nchw(operands.outputGradient);
  const score = (x: JaxArray, w: JaxArray, dy: JaxArray) => np.sum(convolve(x, w).mul(dy));
  if (operation === "input") return calls(jit(grad(score, { argnums: 0 })), [x, w, dy], fromImages);
  return calls(jit(grad(score, { argnums: 1 })), [x, w, dy], fromWeights);

  function fromImages(values: Float32Array): Float32Array {
    return permuted(values, [batch, channels, size, size], [0, 2, 3, 1]);
  }
  function fromWeights(values: Float32Array): Float32Array {
    return permuted(values, [channels, channels, 3, 3], [2, 3, 1, 0]);
  }
};

/** A jitted function that is called repeatedly on the same arrays. */
function calls(
  compute: (...args: JaxArray[]) => JaxArray,
  args: readonly JaxArray[],
  layout: (values: Float32Array) => Float32Array,
) {
  const results = new JaxResults();
  return {
    call: () => results.add([compute(...args.map((array) => array.ref))]),
    wait: () => results.wait(),
    result: async () => layout(await results.latest[0]!.ref.data() as Float32Array),
  };
}

/** Values of an array with its axes in another order. */
function permuted(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  );
  const extents = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  return values.map((_, index) => {
    let [rest, place] = [index, 0];
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      place += rest % extents[axis]! * steps[axis]!;
      rest = Math.floor(rest / extents[axis]!);
    }
    return values[place]!;
  });
}
