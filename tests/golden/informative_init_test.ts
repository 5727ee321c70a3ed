import { type HostTensor, imagesFromPyTorch, imagesToPyTorch } from "../../src/formats/pytorch/layout.ts";
import { type ImageBytes, InformativeInitialisation } from "../../src/jem/initialisation.ts";
import { Context } from "../../src/tensor/context.ts";
import { testGpu } from "../kernels/harness.ts";
import { GoldenFile, goldenFiles } from "./golden_file.ts";
import { cholesky, type Matrix, multiply, multiplyTransposed, solve } from "./linear_algebra.ts";
import { Verdicts } from "./verdict.ts";

/** Standard deviation of the ridge: 1e-4·I. */
const ridge = 0.01;

/**
 * This project never forms the covariance that the official code factorises, so the distributions are compared. The
 * kernel applies the affine map x = μ + B·(z, ε), which must have B·Bᵀ = Σ + 1e-4·I. Normal values that B maps to the
 * official L·z must give the official samples.
 */
for (const path of goldenFiles(/^informative_init.*\.safetensors$/)) {
  Deno.test(`golden informative initialisation: ${path.split("/").at(-1)}`, async () => {
    const file = new GoldenFile(path);
    const verdicts = new Verdicts(file);
    const context = new Context(await testGpu());
    const images = imagesFromPyTorch(file.tensor("images"));
    const [count = 0, height = 0, width = 0, channels = 0] = images.shape;
    const labels = Uint32Array.from(file.numbers("labels"));
    const { n_classes: classes } = file.hyper<{ readonly n_classes: number }>();
    const pixels = height * width * channels;
    const law = new Law(context, toBytes(context, images), labels, classes);

    const maps = await law.maps();
    const means = toPyTorch(await law.initialisation.means.read(), [classes, height, width, channels]);
    verdicts.compare("mean", { shape: [classes, pixels], data: means }, "smooth");
    const covariances = maps.map((map) => multiplyTransposed(map, map));
    verdicts.compare("cov", stack(covariances), "smooth");
    const lower = covariances.map((covariance) => cholesky(withRidge(covariance)));
    verdicts.compare("cholesky", stack(lower), "smooth");

    const compared = (["samples_unclamped", "buffer"] as const).filter((name) => file.has(name));
    if (compared.length === 0 && !file.has("z")) return verdicts.conclude();
    const z = file.tensor("z");
    const samples = z.shape[0]!;
    const { samples_per_class: perClass } = file.hyper<{ readonly samples_per_class: number }>();
    const shape = [samples, channels, height, width];
    for (const name of compared) {
      const data = await law.samples(maps, lower, z, perClass, name === "buffer");
      verdicts.compare(name, { shape, data }, "smooth");
    }
    verdicts.conclude();

    function toPyTorch(data: Float32Array, imageShape: readonly number[]): Float32Array {
      return imagesToPyTorch({ shape: imageShape, data }).data;
    }

    function toBytes(context: Context, { data }: HostTensor) {
      const words = new Uint32Array(Math.ceil(data.length / 4));
      const bytes = new Uint8Array(words.buffer);
      data.forEach((value, i) => bytes[i] = Math.round((value + 1) * 127.5));
      const tensor = context.from(words, [words.length]);
      const buffers = [{ bytes: tensor, first: 0, count }];
      return { buffers, shape: [height, width, channels] as const, maximum: 255 };
    }
  });
}

/** The kernel's distribution, as seen from outside. */
class Law {
  readonly initialisation: InformativeInitialisation;
  readonly #context: Context;
  readonly #counts: number[];
  readonly #largest: number;
  readonly #shape: readonly [number, number, number];

  constructor(
    context: Context,
    images: ImageBytes,
    labels: Uint32Array,
    classes: number,
  ) {
    this.#context = context;
    this.#shape = images.shape;
    this.initialisation = new InformativeInitialisation(context, images, labels, classes);
    this.#counts = Array.from({ length: classes }, (_, c) => labels.filter((label) => label === c).length);
    this.#largest = Math.max(...this.#counts);
  }

  /**
   * The part of each class's map that acts on z, `[pixels, n]` in PyTorch's order of pixels. Its columns are the images
   * of unit vectors.
   */
  async maps(): Promise<Matrix[]> {
    const pixels = this.#shape.reduce((product, extent) => product * extent);
    const maps: Matrix[] = [];
    for (const [c, count] of this.#counts.entries()) {
      const weights = new Float32Array(count * this.#largest);
      for (let i = 0; i < count; i++) weights[i * this.#largest + i] = 1;
      const columns = await this.#apply(
        new Uint32Array(count).fill(c),
        weights,
        new Float32Array(count * pixels),
        false,
      );
      const zero = await this.#apply(
        Uint32Array.of(c),
        new Float32Array(this.#largest),
        new Float32Array(pixels),
        false,
      );
      const map: Matrix = { rows: pixels, columns: count, data: new Float64Array(pixels * count) };
      for (let i = 0; i < count; i++) {
        for (let p = 0; p < pixels; p++) map.data[p * count + i] = columns[i * pixels + p]! - zero[p]!;
      }
      maps.push(map);
    }
    return maps;
  }

  /** Samples from the shortest normal values that the map takes to L·z. */
  async samples(
    maps: readonly Matrix[],
    lower: readonly Matrix[],
    z: HostTensor,
    perClass: number,
    clamp: boolean,
  ): Promise<Float32Array> {
    const [samples = 0, pixels = 0] = z.shape;
    const weights = new Float32Array(samples * this.#largest);
    const noise = new Float32Array(samples * pixels);
    const classes = Uint32Array.from({ length: samples }, (_, i) => Math.floor(i / perClass));
    classes.forEach((c, i) => {
      const map = maps[c]!;
      const column = z.data.subarray(i * pixels, (i + 1) * pixels);
      const target = multiply(lower[c]!, { rows: pixels, columns: 1, data: Float64Array.from(column) });
      // The shortest (z', ε) with A·z' + 0.01·ε = target is Bᵀ·(B·Bᵀ)⁻¹·target with B = (A, 0.01·I).
      const dual = solve(cholesky(withRidge(multiplyTransposed(map, map))), target.data);
      for (let j = 0; j < map.columns; j++) {
        let sum = 0;
        for (let p = 0; p < pixels; p++) sum += map.data[p * map.columns + j]! * dual[p]!;
        weights[i * this.#largest + j] = sum;
      }
      noise.set(dual.map((value) => ridge * value), i * pixels);
    });
    return await this.#apply(classes, weights, noise, clamp);
  }

  /** Applies the kernel; `noise` and the result are in PyTorch's order of pixels. */
  async #apply(
    classes: Uint32Array,
    weights: Float32Array,
    noise: Float32Array,
    clamp: boolean,
  ): Promise<Float32Array> {
    const [height, width, channels] = this.#shape;
    const count = classes.length;
    const native = imagesFromPyTorch({ shape: [count, channels, height, width], data: noise });
    const result = this.initialisation.sample(
      this.#context.from(classes, [count]),
      this.#context.from(weights, [count, this.#largest]),
      this.#context.from(native.data, native.shape),
      clamp,
    );
    return imagesToPyTorch({ shape: result.shape, data: await result.read() }).data;
  }
}

function withRidge(matrix: Matrix): Matrix {
  const data = matrix.data.slice();
  for (let i = 0; i < matrix.rows; i++) data[i * matrix.columns + i]! += ridge ** 2;
  return { ...matrix, data };
}

function stack(matrices: readonly Matrix[]): HostTensor {
  const { rows, columns } = matrices[0]!;
  const data = new Float32Array(matrices.length * rows * columns);
  matrices.forEach((matrix, i) => data.set(matrix.data, i * rows * columns));
  return { shape: [matrices.length, rows, columns], data };
}
