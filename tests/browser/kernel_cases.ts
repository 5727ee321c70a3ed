/** A run of every kernel in every variant, on shapes that are not multiples of its tiles. */

import * as kernels from "../../src/kernels/mod.ts";
import type { Kernel, Operand } from "../../src/kernels/mod.ts";
import { values } from "../kernels/harness.ts";

export interface KernelCase {
  readonly kernel: Kernel<unknown>;
  readonly shape: Readonly<Record<string, unknown>>;
  readonly operands: Readonly<Record<string, Operand>>;
}

const flags = [false, true] as const;
const stream = Uint32Array.of(12, 0, 3, 0);
const status = new Uint32Array(4);

/** A case with deterministic operands. Operands that are only written start as NaN, unless the kernel adds to them. */
function kernelCase<Shape extends object, Name extends string>(
  kernel: Kernel<Shape, Name>,
  shape: Shape,
  given: Partial<Record<Name, Operand>> = {},
): KernelCase {
  const adds = "accumulate" in shape && shape.accumulate === true;
  const operands = kernel.bindings.map(({ name, access, bytes }, i) => {
    const count = bytes(shape) / 4;
    const begins = access !== "read-write" || adds ? values(count, i + 1) : count;
    return [name, given[name] ?? begins];
  });
  return {
    kernel: kernel as Kernel<unknown>,
    shape: Object.fromEntries(Object.entries(shape)),
    operands: Object.fromEntries(operands),
  };
}

/** Words below `bound`. */
function words(count: number, bound: number, seed = 1): Uint32Array {
  return Uint32Array.from(values(count, seed, 0, bound), Math.floor);
}

function positive(count: number, seed = 1): Float32Array {
  return values(count, seed, 0.1, 2);
}

function convolutions(): KernelCase[] {
  const base = { batch: 2, height: 7, width: 5, kernel: 3, stride: 1, padding: 1 };
  const many = { ...base, inChannels: 8, outChannels: 12 };
  const strided = { stride: 2, height: 8 };
  const forward = [kernels.conv2dForward, kernels.conv2dForwardCompact, kernels.conv2dForwardTexture];
  const gradientInput = [
    kernels.conv2dGradientInput,
    kernels.conv2dGradientInputCompact,
    kernels.conv2dGradientInputTexture,
  ];
  return [
    ...forward.map((kernel) => kernelCase(kernel, { ...many, ...strided })),
    ...gradientInput.flatMap((kernel) =>
      flags.map((accumulate) => kernelCase(kernel, { ...many, ...strided, accumulate }))
    ),
    kernelCase(kernels.conv2dGradientWeight, many),
    kernelCase(kernels.conv2dGradientWeightTexture, many),
    kernelCase(kernels.conv2dGradientWeightCompact, many),
    ...flags.map((accumulate) =>
      kernelCase(kernels.conv2dPatch, { ...many, addBias: !accumulate, accumulate })
    ),
    kernelCase(kernels.conv2dForwardPatch, many),
    ...flags.map((accumulate) => kernelCase(kernels.conv2dGradientInputPatch, { ...many, accumulate })),
    kernelCase(kernels.conv2dTurnWeight, many),
    kernelCase(kernels.inceptionConv, {
      ...{ batch: 2, height: 7, width: 5, inChannels: 6, outChannels: 12, outOffset: 4, outStride: 20 },
      ...{ kernelHeight: 1, kernelWidth: 7, stride: 1, paddingY: 0, paddingX: 3 },
    }),
  ];
}

function winograd(): KernelCase[] {
  const channels = { inChannels: 8, outChannels: 12 };
  const map = { batch: 2, height: 7, width: 5, channels: 12 };
  return [
    ...([2, 4] as const).flatMap((outputs) =>
      flags.flatMap((flag) => [
        kernelCase(kernels.winogradWeight, { ...channels, outputs, rotated: flag }),
        kernelCase(kernels.winogradInput, { ...map, padding: Number(flag), outputs }),
        kernelCase(kernels.winogradOutput, { ...map, outputs, bias: !flag, accumulate: flag }),
        kernelCase(kernels.winogradWeightGradient, {
          ...channels,
          ...{ outputs, parts: 1 + Number(flag), accumulate: flag },
        }),
      ])
    ),
    ...([2, 4] as const).map((outputs) => kernelCase(kernels.winogradOutputGradient, { ...map, outputs })),
    kernelCase(kernels.winogradWeightProduct, { ...channels, products: 5, tiles: 42, parts: 3 }),
    kernelCase(kernels.winogradProduct, { products: 5, rows: 35, inner: 8, columns: 20 }),
  ];
}

function norms(): KernelCase[] {
  const shapes = [{ groups: 1, rows: 150, channels: 12 }, { groups: 3, rows: 70, channels: 4 }];
  const running = { momentum: 0.9, epsilon: 1e-5 };
  return shapes.flatMap((shape) => {
    const statistics = positive(2 * shape.groups * shape.channels, 9);
    const partials = positive(2 * kernels.normChunks(shape) * shape.channels, 8);
    const activation = { ...shape, slope: 0.2 };
    const backward = flags.flatMap((ownStatistics) =>
      flags.flatMap((scaledSums) =>
        flags.map((accumulate) =>
          kernelCase(kernels.normBackwardApply, { ...activation, ownStatistics, scaledSums, accumulate }, {
            statistics,
          })
        )
      )
    );
    return [
      kernelCase(kernels.normMoments, shape),
      kernelCase(kernels.normStatistics, { ...shape, epsilon: 1e-5 }, { partials }),
      kernelCase(kernels.normStatisticsAndRunning, { ...shape, ...running }, {
        partials,
        running: positive(2 * shape.channels),
      }),
      ...(shape.groups > 1
        ? []
        : [kernelCase(kernels.actNormInitialise, { ...shape, epsilon: 1e-6 }, { partials })]),
      kernelCase(kernels.layerNormStatistics, { ...shape, epsilon: 1e-5 }, { partials }),
      kernelCase(kernels.normApply, activation, { statistics }),
      kernelCase(kernels.normBackwardMoments, activation, { statistics }),
      kernelCase(kernels.normBackwardSums, shape),
      kernelCase(kernels.layerNormSums, shape),
      ...backward,
    ];
  }).concat(
    kernelCase(kernels.normRunning, { channels: 12, epsilon: 1e-5 }, { running: positive(24) }),
    kernelCase(kernels.actNormStatistics, { channels: 12 }),
  );
}

function elementwise(): KernelCase[] {
  const length = 99;
  const factor = 0.75;
  const target = values(length, 7);
  return [
    kernelCase(kernels.add, { length, factor }),
    kernelCase(kernels.addInto, { length, factor }, { target }),
    kernelCase(kernels.multiply, { length }),
    kernelCase(kernels.multiplyInto, { length, factor }, { target }),
    kernelCase(kernels.leakyRelu, { length, slope: 0.2 }),
    ...flags.flatMap((accumulate) => [
      kernelCase(kernels.broadcast, { length, factor, accumulate }),
      kernelCase(kernels.leakyReluBackward, { length, slope: 0.2, accumulate }),
      kernelCase(kernels.dropout, { length, rate: 0.3, accumulate }, { uniforms: values(length, 3, 0, 1) }),
    ]),
  ];
}

function reductions(): KernelCase[] {
  const pool = { batch: 3, pixels: 15, channels: 12 };
  const window = {
    ...{ batch: 2, height: 7, width: 5, channels: 8, kernel: 3, stride: 2, padding: 1 },
    ...{ outOffset: 4, outStride: 16 },
  };
  const resize = { batch: 2, height: 7, width: 5, channels: 3, size: 9, valueScale: 0.5, valueShift: 0.25 };
  const product = { rows: 7, columns: 5, inner: 13 };
  return [
    kernelCase(kernels.reduceSum, { length: 1001, factor: 0.5 }),
    kernelCase(kernels.columnSums, { rows: 300, columns: 7 }),
    kernelCase(kernels.columnSums, { rows: 300, columns: 8 }),
    kernelCase(kernels.globalAveragePool, pool),
    ...flags.flatMap((accumulate) => [
      kernelCase(kernels.sumPartials, { partials: 5, length: 33, accumulate }),
      kernelCase(kernels.sumPartials, { partials: 5, length: 300, accumulate }),
      kernelCase(kernels.fitColumns, { rows: 31, sourceColumns: 3, fittedColumns: 4, accumulate }),
      kernelCase(kernels.fitColumns, { rows: 31, sourceColumns: 8, fittedColumns: 5, accumulate }),
      kernelCase(kernels.globalAveragePoolBackward, { ...pool, accumulate }),
    ]),
    ...flags.map((average) => kernelCase(kernels.pool2d, { ...window, average })),
    ...flags.map((fromCorner) => kernelCase(kernels.resizeBilinear, { ...resize, fromCorner })),
    ...flags.flatMap((transposeLeft) =>
      flags.flatMap((transposeRight) =>
        flags.map((accumulate) =>
          kernelCase(kernels.matmul, {
            ...product,
            transposeLeft,
            transposeRight,
            accumulate,
            bias: accumulate,
          })
        )
      )
    ),
  ];
}

function rows(): KernelCase[] {
  const shape = { rows: 9, columns: 10 };
  const labels = words(shape.rows, shape.columns);
  return [
    kernelCase(kernels.logSumExp, shape),
    kernelCase(kernels.softmaxCrossEntropy, shape, { labels }),
    kernelCase(kernels.selectColumn, shape, { labels }),
    ...flags.flatMap((accumulate) => [
      kernelCase(kernels.logSumExpBackward, { ...shape, accumulate }, {
        values: values(shape.rows, 2, 1, 2),
      }),
      kernelCase(kernels.softmaxCrossEntropyBackward, { ...shape, accumulate }, { labels }),
      kernelCase(kernels.selectColumnBackward, { ...shape, accumulate }, { labels }),
    ]),
  ];
}

function sampling(): KernelCase[] {
  const length = 1003;
  const step = { length, stepSize: 0.3, gradientClamp: 0.5, innerSteps: 0, innerStepSize: 0, innerClamp: 1 };
  const replay = { batch: 5, pixels: 18, first: 0, count: 7 };
  const draws = Uint32Array.of(6, 0, 6, 3, 2, 0, 1, 0, 0, 1);
  const attack = { batch: 3, pixels: 77, stepSize: 0.1, radius: 0.15 };
  return [
    kernelCase(kernels.philoxUniform, { length, purpose: 2, low: -1, high: 1 }, { stream }),
    kernelCase(kernels.philoxNormal, { length, purpose: 2 }, { stream }),
    kernelCase(kernels.forkStream, {}, { stream, child: status }),
    kernelCase(kernels.sgldStep, { ...step, noiseScale: 0.1 }),
    kernelCase(kernels.sgldStep, { ...step, noiseScale: 0, innerSteps: 3, innerStepSize: 0.1 }),
    kernelCase(kernels.replayGather, replay, { draws }),
    kernelCase(kernels.replayScatter, replay, { draws, status, buffer: values(7 * 18, 5) }),
    kernelCase(kernels.pgdStepLinf, attack),
    kernelCase(kernels.pgdStepL2, attack),
  ];
}

function dataset(): KernelCase[] {
  const images = { height: 5, width: 4, channels: 3, count: 6, maximum: 255 };
  const bytes = words(6 * 5 * 4 * 3 / 4, 2 ** 32);
  const classes = { classes: 2, pixels: 60, count: 6, listed: 6, maximumCount: 4, maximum: 255 };
  const members = Uint32Array.of(8, 4, 0, 4, 12, 2, 0, 2, 0, 2, 3, 5, 1, 4);
  const parts = flags.flatMap((first) => flags.map((last) => ({ ...classes, first, last })));
  return [
    kernelCase(kernels.expandImages, { ...images, batch: 3, first: 10, padding: 2 }, {
      bytes,
      indices: Uint32Array.of(12, 15, 3),
      crops: Uint32Array.of(0, 1 | 3 << 8 | 1 << 16, 0),
    }),
    ...parts.flatMap((shape) => [
      kernelCase(kernels.classMeans, shape, { bytes, members, means: values(120, 3) }),
      ...flags.map((clamp) =>
        kernelCase(kernels.informativeSample, { ...shape, batch: 3, clamp }, {
          bytes,
          members,
          sampleClasses: Uint32Array.of(1, 0, 0xffffffff),
          samples: values(180, 4),
        })
      ),
    ]),
    kernelCase(kernels.gaussianSample, { batch: 3, classes: 2, pixels: 61, rank: 5 }, {
      sampleClasses: Uint32Array.of(1, 0, 0xffffffff),
      samples: values(183, 4),
    }),
  ];
}

function optimisers(): KernelCase[] {
  const length = 1003;
  const schedule = [0.1, 0.1, 0.001, 0];
  return [
    kernelCase(kernels.sgdStep, { length, momentum: 0.9, weightDecay: 0.01 }, {
      schedule,
      status,
      velocity: values(length, 3),
      parameters: values(length, 4),
    }),
    kernelCase(kernels.adamStep, { length, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }, {
      schedule,
      status,
      firstMoment: values(length, 3),
      secondMoment: positive(length, 4),
      parameters: values(length, 5),
    }),
    ...flags.flatMap((adaptive) => [
      kernelCase(kernels.samNorm, { length, adaptive }),
      kernelCase(kernels.samAscent, { length, adaptive }, { parameters: values(length, 3) }),
    ]),
    kernelCase(kernels.samScale, { partials: 300, rho: 0.5 }, { partials: positive(300) }),
    kernelCase(kernels.divergence, { limit: 1 }, { likelihood: [2], loss: [0.5], stream, status }),
    kernelCase(kernels.divergence, { limit: 3 }, { likelihood: [2], loss: [0.5], stream, status }),
  ];
}

const cases: readonly KernelCase[] = [
  ...convolutions(),
  ...winograd(),
  ...norms(),
  ...elementwise(),
  ...reductions(),
  ...rows(),
  ...sampling(),
  ...dataset(),
  ...optimisers(),
];

/** All cases, each also in its variant for software adapters. One case of each variant for a kind of GPU is added. */
export const kernelCases: readonly KernelCase[] = cases.flatMap((one, i) => {
  const { software, ...forGpus } = one.kernel.variants ?? {};
  const isFirst = cases.findIndex(({ kernel }) => kernel === one.kernel) === i;
  const kernels = [one.kernel, ...(software ? [software] : []), ...(isFirst ? Object.values(forGpus) : [])];
  return kernels.map((kernel) => ({ ...one, kernel }));
});

export function describe({ kernel, shape }: KernelCase): string {
  const parts = Object.entries(shape).map(([key, value]) => `${key} ${value}`);
  return `${kernel.name}.${kernels.entryPointOf(kernel, shape)}: ${parts.join(", ")}`;
}
