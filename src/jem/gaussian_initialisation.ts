import { gaussianSample } from "../kernels/chains/gaussian_sample.ts";
import { Purpose } from "../random/philox.ts";
import { blockAt, normal } from "../tensor/operations/random.ts";
import { assertShapes, elements, type Tensor } from "../tensor/tensor.ts";
import type { Initialisation } from "./initialisation.ts";

/**
 * Informative initialisation (JEM++, section 4.2) without the training images: x_0 ~ N(μ_c, F_c·F_cᵀ + 1e-4·I), clamped
 * to [−1, 1], where F_c·F_cᵀ is the covariance of the images of class c or, with few columns, close to it.
 */
export class GaussianInitialisation implements Initialisation {
  /**
   * @param means μ, `[classes, H, W, C]`
   * @param factors columns of F, `[classes, rank, H, W, C]`
   * @throws {ShapeError} if they do not fit together.
   */
  constructor(readonly means: Tensor, readonly factors: Tensor) {
    const [classes, , ...image] = factors.shape;
    const fits = factors.shape.length === 5 && [classes, ...image].join() === means.shape.join();
    assertShapes(
      fits,
      "Gaussians take means [classes, H, W, C] and factors [classes, rank, H, W, C]",
      means,
      factors,
    );
  }

  fresh(stream: Tensor, classes: Tensor, first = 0): Tensor {
    const [count = 0, rank = 0, ...image] = this.factors.shape;
    const standard = (purpose: number, shape: readonly number[]) =>
      normal(stream, purpose, [classes.size, ...shape], blockAt(first * elements(shape)));
    using weights = standard(Purpose.informativeWeights, [rank]);
    using noise = standard(Purpose.informativeNoise, image);
    const { context } = classes;
    const samples = context.empty(noise.shape);
    const shape = { batch: classes.size, classes: count, pixels: elements(image), rank };
    const { means, factors } = this;
    context.launch(gaussianSample, shape, {
      means,
      factors,
      sampleClasses: classes,
      weights,
      noise,
      samples,
    });
    return samples;
  }
}
