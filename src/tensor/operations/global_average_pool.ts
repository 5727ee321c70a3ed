import {
  globalAveragePool as poolKernel,
  globalAveragePoolBackward,
} from "../../kernels/pool/global_average_pool.ts";
import { assertShapes, type Tensor } from "../tensor.ts";

/**
 * Mean over height and width: `[N, H, W, C]`, which may be float16, → `[N, C]`, float32.
 * @throws {ShapeError} if `x` is not a batch of images.
 */
export function globalAveragePool(x: Tensor): Tensor {
  assertShapes(x.shape.length === 4, "pooling takes images [N, H, W, C]", x);
  const { context } = x;
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const shape = { batch, pixels: height * width, channels };
  const output = context.empty([batch, channels]);
  context.launch(poolKernel, shape, { input: x, output });
  const tape = context.tape;
  tape?.record([x], output, [], (outputGradient) => {
    const { gradient: inputGradient, accumulate } = tape.target(x)!;
    context.launch(globalAveragePoolBackward, { ...shape, accumulate }, { outputGradient, inputGradient });
  });
  return output;
}
