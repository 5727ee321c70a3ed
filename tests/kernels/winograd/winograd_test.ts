import assert from "node:assert/strict";
import { winogradInput } from "../../../src/kernels/winograd/input.ts";
import { winogradOutput } from "../../../src/kernels/winograd/output.ts";
import { winogradOutputGradient } from "../../../src/kernels/winograd/output_gradient.ts";
import { winogradProduct } from "../../../src/kernels/winograd/product.ts";
import { type WinogradOutputs, winogradTiles, winogradValues } from "../../../src/kernels/winograd/shape.ts";
import { winogradWeight } from "../../../src/kernels/winograd/weight.ts";
import { winogradWeightGradient } from "../../../src/kernels/winograd/weight_gradient.ts";
import { winogradWeightParts, winogradWeightProduct } from "../../../src/kernels/winograd/weight_product.ts";
import { relativeError, runKernel, values } from "../harness.ts";
import { forFamily } from "../../opengl.ts";

type Matrix = readonly (readonly number[])[];

/** The finite points of F(m×m, 3×3). */
const points = { 2: [0, 1, -1], 4: [0, 5 / 8, -5 / 8, 3 / 2, -3 / 2] } as const;
const bothOutputs: readonly WinogradOutputs[] = [2, 4];

/**
 * For sums of up to 36 products of float32 values with factors up to 11, and of up to 40 products of values up to 1.
 */
const tolerance = 1e-6;

/** Coefficients of Π (x − root), starting with the constant. */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce<number[]>(
    (product, root) =>
      [...product, 0].map((value, k) => (product[k - 1] ?? 0) - root * (k in product ? value : 0)),
    [1],
  );
}

/** Aᵀ, Bᵀ and G by their definition for the points and ∞. */
function matrices(outputs: WinogradOutputs): { readonly a: Matrix; readonly b: Matrix; readonly g: Matrix } {
  const all: readonly number[] = points[outputs];
  const others = (p: number) => all.filter((q) => q !== p);
  const divisor = (p: number) => others(p).reduce((product, q) => product * (p - q), 1);
  return {
    a: Array.from({ length: outputs }, (_, k) => [...all.map((p) => p ** k), Number(k === outputs - 1)]),
    b: [...all.map((p) => [...polynomial(others(p)), 0]), polynomial(all)],
    g: [...all.map((p) => [0, 1, 2].map((k) => p ** k / divisor(p))), [0, 0, 1]],
  };
}

function transpose(matrix: Matrix): Matrix {
  return matrix[0]!.map((_, x) => matrix.map((row) => row[x]!));
}

/** matrix · square · matrixᵀ, row by row. */
function sandwich(matrix: Matrix, square: (y: number, x: number) => number): number[] {
  const size = matrix[0]!.length;
  return matrix.flatMap((top) =>
    matrix.map((left) => {
      let sum = 0;
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) sum += top[y]! * square(y, x) * left[x]!;
      }
      return sum;
    })
  );
}

for (const outputs of bothOutputs) {
  const { a, b, g } = matrices(outputs);
  const count = winogradValues(outputs);

  Deno.test(`winogradWeight() equals G · g · Gᵀ for ${outputs}×${outputs} outputs, both ways`, async () => {
    for (const [inChannels, outChannels] of [[4, 4], [12, 20], [20, 4]] as const) {
      const weight = values(9 * inChannels * outChannels, 1);
      for (const rotated of [false, true]) {
        const size = inChannels * outChannels;
        const expected = new Float64Array(count * size);
        for (let i = 0; i < inChannels; i++) {
          for (let o = 0; o < outChannels; o++) {
            const tap = (y: number, x: number) => {
              const place = rotated ? 8 - (3 * y + x) : 3 * y + x;
              return weight[(place * inChannels + i) * outChannels + o]!;
            };
            const at = rotated ? i * outChannels + o : o * inChannels + i;
            sandwich(g, tap).forEach((value, p) => expected[p * size + at] = value);
          }
        }
        const shape = { inChannels, outChannels, outputs, rotated };
        const { transformed } = await runKernel(winogradWeight, shape, { weight, transformed: count * size });
        assert(relativeError(transformed, expected) < tolerance, JSON.stringify(shape));
      }
    }
  });

  Deno.test(`winogradInput() equals Bᵀ · d · B for ${outputs}×${outputs} outputs`, async () => {
    for (
      const [batch, height, width, channels, padding] of [
        [1, 3, 3, 4, 0],
        [1, 1, 1, 4, 1],
        [3, 7, 5, 12, 1],
        [3, 4, 9, 20, 2],
        [1, 8, 8, 20, 0],
      ] as const
    ) {
      const shape = { batch, height, width, channels, padding, outputs };
      const size = { batch, height: height + 2 * padding - 2, width: width + 2 * padding - 2 };
      const tiles = winogradTiles(size, outputs);
      const source = values(batch * height * width * channels, 1);
      const expected = new Float64Array(count * tiles.count * channels);
      for (let t = 0; t < tiles.count; t++) {
        const top = Math.floor(t / tiles.columns) % tiles.rows * outputs - padding;
        const left = t % tiles.columns * outputs - padding;
        const image = Math.floor(t / tiles.columns / tiles.rows);
        for (let c = 0; c < channels; c++) {
          const pixel = (y: number, x: number) => {
            const inside = top + y >= 0 && top + y < height && left + x >= 0 && left + x < width;
            return inside ? source[((image * height + top + y) * width + left + x) * channels + c]! : 0;
          };
          sandwich(b, pixel).forEach((value, p) => expected[(p * tiles.count + t) * channels + c] = value);
        }
      }
      const { transformed } = await runKernel(winogradInput, shape, { source, transformed: expected.length });
      assert(relativeError(transformed, expected) < tolerance, JSON.stringify(shape));
    }
  });

  Deno.test(`winogradOutput() equals Aᵀ · M · A for ${outputs}×${outputs} outputs`, async () => {
    for (
      const [batch, height, width, channels, addBias, accumulate] of [
        [1, 1, 1, 4, true, false],
        [3, 7, 5, 12, false, true],
        [3, 4, 9, 20, false, false],
        [1, 8, 8, 20, true, true],
      ] as const
    ) {
      const shape = { batch, height, width, channels, outputs, bias: addBias, accumulate };
      const tiles = winogradTiles(shape, outputs);
      const product = values(count * tiles.count * channels, 1);
      const bias = values(channels, 2);
      const before = values(batch * height * width * channels, 3);
      const expected = Float64Array.from(
        before,
        (value, i) => (accumulate ? value : 0) + (addBias ? bias[i % channels]! : 0),
      );
      for (let t = 0; t < tiles.count; t++) {
        const [column, row] = [t % tiles.columns, Math.floor(t / tiles.columns) % tiles.rows];
        const image = Math.floor(t / tiles.columns / tiles.rows);
        for (let c = 0; c < channels; c++) {
          const values = sandwich(
            a,
            (y, x) => product[((y * (outputs + 2) + x) * tiles.count + t) * channels + c]!,
          );
          values.forEach((value, p) => {
            const y = row * outputs + Math.floor(p / outputs);
            const x = column * outputs + p % outputs;
            if (y < height && x < width) {
              expected[((image * height + y) * width + x) * channels + c]! += value;
            }
          });
        }
      }
      const { output } = await runKernel(winogradOutput, shape, {
        product,
        bias: addBias ? bias : [99],
        output: accumulate ? before : before.length,
      });
      assert(relativeError(output, expected) < tolerance, JSON.stringify(shape));
    }
  });

  Deno.test(`winogradOutputGradient() equals A · g · Aᵀ for ${outputs}×${outputs} outputs`, async () => {
    for (const [batch, height, width, channels] of [[1, 1, 1, 4], [3, 7, 5, 12], [2, 4, 9, 20]] as const) {
      const shape = { batch, height, width, channels, outputs };
      const tiles = winogradTiles(shape, outputs);
      const gradient = values(batch * height * width * channels, 1);
      const expected = new Float64Array(count * tiles.count * channels);
      for (let t = 0; t < tiles.count; t++) {
        const top = Math.floor(t / tiles.columns) % tiles.rows * outputs;
        const left = t % tiles.columns * outputs;
        const image = Math.floor(t / tiles.columns / tiles.rows);
        for (let c = 0; c < channels; c++) {
          const pixel = (y: number, x: number) =>
            top + y < height && left + x < width
              ? gradient[((image * height + top + y) * width + left + x) * channels + c]!
              : 0;
          sandwich(transpose(a), pixel).forEach((value, p) =>
            expected[(p * tiles.count + t) * channels + c] = value
          );
        }
      }
      const { transformed } = await runKernel(winogradOutputGradient, shape, {
        gradient,
        transformed: expected.length,
      });
      assert(relativeError(transformed, expected) < tolerance, JSON.stringify(shape));
    }
  });

  Deno.test(`winogradWeightGradient() equals Gᵀ · M · G for ${outputs}×${outputs} outputs`, async () => {
    for (
      const [inChannels, outChannels, parts, accumulate] of [
        [4, 4, 1, false],
        [12, 20, 3, true],
        [20, 12, 2, false],
      ] as const
    ) {
      const size = inChannels * outChannels;
      const products = values(count * parts * size, 1);
      const before = values(9 * size, 2);
      const expected = Float64Array.from(before, (value) => accumulate ? value : 0);
      for (let i = 0; i < size; i++) {
        const sum = (p: number) =>
          Array.from({ length: parts }, (_, part) => products[(p * parts + part) * size + i]!)
            .reduce((total, value) => total + value);
        sandwich(transpose(g), (y, x) => sum(y * (outputs + 2) + x))
          .forEach((value, tap) => expected[tap * size + i]! += value);
      }
      const shape = { inChannels, outChannels, outputs, parts, accumulate };
      const { gradient } = await runKernel(winogradWeightGradient, shape, {
        products,
        gradient: accumulate ? before : before.length,
      });
      assert(relativeError(gradient, expected) < tolerance, JSON.stringify(shape));
    }
  });
}

Deno.test({
  ...forFamily(
    "gpu",
    "winogradWeightProduct() equals a sum over the tiles of each part for each value of a tile",
  ),
  async fn() {
    for (
      const [products, tiles, inChannels, outChannels, parts] of [
        [1, 1, 4, 4, 1],
        [16, 6, 12, 20, 2],
        [36, 35, 20, 12, 5],
        [2, 300, 40, 100, 4],
        [3, 42, 68, 72, 1],
      ] as const
    ) {
      const inputs = values(products * tiles * inChannels, 1);
      const gradients = values(products * tiles * outChannels, 2);
      const expected = new Float64Array(products * parts * inChannels * outChannels);
      for (let t = 0; t < products * tiles; t++) {
        const part = Math.floor(t * parts / tiles);
        for (let c = 0; c < inChannels; c++) {
          for (let o = 0; o < outChannels; o++) {
            expected[(part * inChannels + c) * outChannels + o]! += inputs[t * inChannels + c]! *
              gradients[t * outChannels + o]!;
          }
        }
      }
      const shape = { products, tiles, inChannels, outChannels, parts };
      const { results } = await runKernel(winogradWeightProduct, shape, {
        inputs,
        gradients,
        results: expected.length,
      });
      assert(relativeError(results, expected) < tolerance, JSON.stringify(shape));
    }
  },
});

Deno.test("winogradWeightParts() divides the tiles until a GPU is busy, and never leaves too many or too few", () => {
  const parts = (tiles: number, channels: number) =>
    winogradWeightParts({ products: 36, tiles, inChannels: channels, outChannels: channels });
  assert.equal(parts(4096, 640), 1);
  // A part has 36 workgroups. 15 parts would be enough, but 16 divide the tiles evenly.
  assert.equal(parts(4096, 64), 16);
  assert.equal(parts(1024, 64), 4, "256 tiles each");
  assert.equal(parts(1021, 64), 1, "a prime number");
  assert.equal(parts(60_000, 640), 2, "30,000 tiles each");
  assert.equal(parts(60_013, 64), 0, "a prime number above");
});

Deno.test({
  ...forFamily("gpu", "winogradProduct() equals a product for each value of a tile"),
  async fn() {
    for (
      const [products, rows, inner, columns] of [[1, 1, 4, 4], [16, 3, 12, 20], [36, 35, 20, 12], [
        2,
        300,
        40,
        100,
      ]] as const
    ) {
      const left = values(products * rows * inner, 1);
      const right = values(products * columns * inner, 2);
      const expected = Float64Array.from({ length: products * rows * columns }, (_, i) => {
        const row = Math.floor(i / columns);
        const column = Math.floor(row / rows) * columns + i % columns;
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += left[row * inner + k]! * right[column * inner + k]!;
        return sum;
      });
      const shape = { products, rows, inner, columns };
      const { product } = await runKernel(winogradProduct, shape, { left, right, product: expected.length });
      assert(relativeError(product, expected) < tolerance, JSON.stringify(shape));
    }
  },
});

Deno.test("Winograd's kernels refuse channels that are no multiple of 4, and parts that are not equal", () => {
  const shape = { batch: 1, height: 4, width: 4, channels: 6, outputs: 2 } as const;
  assert.throws(
    () => winogradWeight.constants({ inChannels: 4, outChannels: 6, outputs: 2, rotated: true }),
    /multiple of 4/,
  );
  assert.throws(() => winogradInput.constants({ ...shape, padding: 1 }), /multiple of 4/);
  assert.throws(() => winogradOutput.constants({ ...shape, bias: true, accumulate: false }), /multiple of 4/);
  assert.throws(
    () => winogradProduct.constants({ products: 1, rows: 1, inner: 4, columns: 6 }),
    /multiple of 4/,
  );
  assert.throws(() => winogradOutputGradient.constants(shape), /multiple of 4/);
  const weights = { inChannels: 4, outChannels: 6, parts: 2 };
  assert.throws(
    () => winogradWeightGradient.constants({ ...weights, outputs: 2, accumulate: false }),
    /multiple of 4/,
  );
  assert.throws(
    () => winogradWeightProduct.constants({ ...weights, products: 1, tiles: 2 }),
    /multiple of 4/,
  );
  assert.throws(
    () => winogradWeightProduct.constants({ ...weights, outChannels: 4, products: 1, tiles: 3 }),
    /3 tiles in 2 parts/,
  );
});
