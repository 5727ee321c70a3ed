import type { AdapterFamily } from "../../../gpu/adapter_family.ts";
import type { GpuKind } from "../../../kernels/gpu_kind.ts";
import {
  conv2dForward,
  conv2dForwardCompact,
  conv2dForwardTexture,
  conv2dForwardTiled,
} from "../../../kernels/conv2d/forward.ts";
import {
  conv2dGradientInput,
  conv2dGradientInputCompact,
  conv2dGradientInputTexture,
  conv2dGradientInputTiled,
} from "../../../kernels/conv2d/gradient_input.ts";
import {
  conv2dGradientWeight,
  conv2dGradientWeightCompact,
  conv2dGradientWeightTexture,
  conv2dGradientWeightTiled,
} from "../../../kernels/conv2d/gradient_weight.ts";
import {
  conv2dForwardMatrix,
  conv2dGradientInputMatrix,
  gradientScale,
  type MatrixUnits,
} from "../../../kernels/conv2d/matrix.ts";
import { suitsPatches, takesPatches } from "../../../kernels/conv2d/patch.ts";
import {
  conv2dForwardPatch,
  conv2dGradientInputPatch,
  suitsForwardPatch,
  suitsGradientInputPatch,
} from "../../../kernels/conv2d/patch_staged.ts";
import type { Conv2dShape } from "../../../kernels/conv2d/shape.ts";
import type { StagedTile } from "../../../kernels/conv2d/staged.ts";
import { type Kernel, suited } from "../../../kernels/kernel.ts";
import { winogradProductMatrix } from "../../../kernels/winograd/matrix_product.ts";
import { byKernel, byParts, type Conv2dAlgorithms, type Direction } from "./algorithm.ts";
import { patchForward, patchGradientInput } from "./patch.ts";
import { suitsWinograd, winogradForward, winogradGradientInput, winogradGradientWeight } from "./winograd.ts";

/** The facts about an adapter that decide which algorithms there are; a `Gpu` has them. */
export interface ConvolutionAdapter {
  readonly adapterFamily: AdapterFamily;
  readonly kind?: GpuKind | undefined;
  /** Those that convolutions are to use. */
  readonly matrixUnits?: MatrixUnits | undefined;
  readonly device: { readonly limits: Pick<GPUSupportedLimits, "maxStorageBufferBindingSize"> };
}

/** Version of the lists below. Raise it when a name changes its meaning. */
export const candidatesVersion = 2;

/** The algorithms for each direction of a convolution; the first is used unless another is asked for. */
export type Conv2dCandidates = {
  readonly [Name in Direction]: readonly [Conv2dAlgorithms[Name], ...Conv2dAlgorithms[Name][]];
};

/**
 * The algorithms for a convolution on a kind of adapter: a fixed list for each direction, so that an adapter always
 * gives the same bits unless it is told otherwise.
 * @throws {RangeError} if a kernel in the list does not support the shape.
 */
export function conv2dCandidates(adapter: ConvolutionAdapter, shape: Conv2dShape): Conv2dCandidates {
  return withMatrices(adapter, shape, withoutMatrices(adapter, shape));
}

function withoutMatrices(adapter: ConvolutionAdapter, shape: Conv2dShape): Conv2dCandidates {
  const { adapterFamily: family, kind } = adapter;
  if (family === "slow-compiler") return compact;
  const direct = family === "lavapipe" ? throughTextures(shape) : staged(shape, kind);
  return withWinograd(adapter, shape, winogradWins[family], direct);
}

/**
 * Puts the algorithms by matrix units first, where they are to be used. Gradients with respect to weights have none.
 */
function withMatrices(
  { device, matrixUnits }: ConvolutionAdapter,
  shape: Conv2dShape,
  others: Conv2dCandidates,
): Conv2dCandidates {
  if (!matrixUnits) return others;
  const suitable = Math.min(shape.inChannels, shape.outChannels) < leastWinogradChannels
    ? []
    : ([2, 4] as const).filter((outputs) => suitsWinograd(shape, outputs, device.limits));
  return {
    forward: [
      byKernel("matrix", conv2dForwardMatrix(matrixUnits)),
      ...suitable.map((outputs): Conv2dAlgorithms["forward"] => ({
        name: `winograd-${outputs}x${outputs}-matrix`,
        launch: (context, shape, operands) =>
          winogradForward(context, shape, operands, outputs, winogradProductMatrix(matrixUnits, 1)),
      })),
      ...others.forward,
    ],
    gradientInput: [
      byKernel("matrix", conv2dGradientInputMatrix(matrixUnits)),
      ...suitable.map((outputs): Conv2dAlgorithms["gradientInput"] => ({
        name: `winograd-${outputs}x${outputs}-matrix`,
        launch: (context, shape, operands) => {
          const product = winogradProductMatrix(matrixUnits, gradientScale);
          winogradGradientInput(context, shape, operands, outputs, product);
        },
      })),
      ...others.gradientInput,
    ],
    gradientWeight: others.gradientWeight,
  };
}

/** Below this many channels Winograd's transforms cost more than its fewer multiplications gain, on any adapter. */
const leastWinogradChannels = 32;

/** Whether F(4×4) comes before the direct algorithms. */
type Wins = (shape: Conv2dShape) => boolean;

/** From this many channels each way, on maps that its tiles of 4 × 4 fill. */
const fromChannels = (least: number): Wins => ({ height, width, inChannels, outChannels }) =>
  Math.min(inChannels, outChannels) >= least && Math.min(height, width) >= 8;

/**
 * Whether lavapipe computes the gradient with respect to the weight 1.1 to 3.5 times as fast. On smaller maps most of
 * its tiles are empty.
 */
const hasLargeWeight: Wins = ({ height, width, inChannels, outChannels }) => {
  const size = Math.min(height, width);
  return size >= 4 && size * Math.min(inChannels, outChannels) >= 256;
};

const inAllDirections = (wins: Wins) => ({ forward: wins, gradientInput: wins, gradientWeight: wins });

/**
 * Measured on lavapipe by `bench/programs/winograd.ts`. For GPUs it follows from operations and bytes, see
 * `docs/journal/winograd.md`.
 */
const winogradWins: Readonly<Record<Exclude<AdapterFamily, "slow-compiler">, Record<Direction, Wins>>> = {
  lavapipe: { ...inAllDirections(fromChannels(128)), gradientWeight: hasLargeWeight },
  gpu: inAllDirections(fromChannels(160)),
};

/** F(4×4) before all other algorithms where it wins, and Winograd's others, which may win, after them. */
function withWinograd(
  { device }: ConvolutionAdapter,
  shape: Conv2dShape,
  wins: Record<Direction, Wins>,
  direct: Conv2dCandidates,
): Conv2dCandidates {
  if (Math.min(shape.inChannels, shape.outChannels) < leastWinogradChannels) return direct;
  const suitable = winograd.filter(({ outputs }) => suitsWinograd(shape, outputs, device.limits));
  const around = <Algorithm>(
    others: readonly [Algorithm, ...Algorithm[]],
    wins: Wins,
    of: (one: typeof winograd[number]) => Algorithm,
  ) => {
    const isFirst = ({ outputs }: typeof winograd[number]) => outputs === 4 && wins(shape);
    const first = suitable.filter(isFirst);
    const last = suitable.filter((one) => !isFirst(one));
    return [...first.map(of), ...others, ...last.map(of)] as [Algorithm, ...Algorithm[]];
  };
  return {
    forward: around(direct.forward, wins.forward, ({ forward }) => forward),
    gradientInput: around(direct.gradientInput, wins.gradientInput, ({ gradientInput }) => gradientInput),
    gradientWeight: around(
      direct.gradientWeight,
      wins.gradientWeight,
      ({ gradientWeight }) => gradientWeight,
    ),
  };
}

const winograd = ([2, 4] as const).map((outputs) => {
  const name = `winograd-${outputs}x${outputs}`;
  const forward: Conv2dAlgorithms["forward"] = {
    name,
    launch: (context, shape, operands) => winogradForward(context, shape, operands, outputs),
  };
  const gradientInput: Conv2dAlgorithms["gradientInput"] = {
    name,
    launch: (context, shape, operands) => winogradGradientInput(context, shape, operands, outputs),
  };
  const gradientWeight: Conv2dAlgorithms["gradientWeight"] = {
    name,
    launch: (context, shape, operands) => winogradGradientWeight(context, shape, operands, outputs),
  };
  return { outputs, forward, gradientInput, gradientWeight };
});

const compact: Conv2dCandidates = {
  forward: [byKernel("compact", conv2dForwardCompact)],
  gradientInput: [byKernel("compact", conv2dGradientInputCompact)],
  gradientWeight: [byParts("compact", conv2dGradientWeightCompact)],
};

const texture: Conv2dCandidates = {
  forward: [byKernel("texture", conv2dForwardTexture)],
  gradientInput: [byKernel("texture", conv2dGradientInputTexture)],
  gradientWeight: [byParts("texture", conv2dGradientWeightTexture)],
};

function throughTextures(shape: Conv2dShape): Conv2dCandidates {
  if (!takesPatches(shape)) return texture;
  const { forward, gradientInput, gradientWeight } = texture;
  return suitsPatches(shape)
    ? {
      forward: [patchForward, ...forward],
      gradientInput: [patchGradientInput, ...gradientInput],
      gradientWeight,
    }
    : {
      forward: [...forward, patchForward],
      gradientInput: [...gradientInput, patchGradientInput],
      gradientWeight,
    };
}

/**
 * Alternatives to the default: more pixels for few channels, fewer for maps that would leave a GPU idle, wider for
 * reuse.
 */
const tiles: readonly StagedTile[] = [
  { pixels: 128, channels: 64 },
  { pixels: 128, channels: 128 },
  { pixels: 256, channels: 64 },
  { pixels: 256, channels: 32 },
  { pixels: 256, channels: 16 },
  { pixels: 64, channels: 64 },
  { pixels: 64, channels: 32 },
  { pixels: 128, channels: 40, channelsPerThread: 4 },
];
const tileName = ({ pixels, channels, channelsPerThread }: StagedTile) =>
  `staged-${pixels}x${channels}${channelsPerThread ? `-by-${channelsPerThread}` : ""}`;

const weightTiles = [[64, 64], [32, 32], [128, 80], [128, 64], [128, 32], [128, 16]] as const;
/**
 * Pixels are split into at most as many parts as give this many workgroups. The best number depends on the size of the
 * GPU.
 */
const weightWorkgroups = [512, 128, 2048] as const;

/** A kernel, and its name in tables of choices. */
type Named<Shaped> = readonly [name: string, kernel: Shaped];

const stagedForward: readonly Named<typeof conv2dForward>[] = [
  ["staged", conv2dForward],
  ...tiles.map((tile) => [tileName(tile), conv2dForwardTiled(tile)] as const),
];
const stagedGradientInput: readonly Named<typeof conv2dGradientInput>[] = [
  ["staged", conv2dGradientInput],
  ...tiles.map((tile) => [tileName(tile), conv2dGradientInputTiled(tile)] as const),
];
const stagedGradientWeight: readonly Named<typeof conv2dGradientWeight>[] = [
  ["staged", conv2dGradientWeight],
  ...weightWorkgroups.flatMap((workgroups) =>
    weightTiles.map(([rows, columns]) =>
      [
        `staged-${rows}x${columns}-${workgroups}`,
        conv2dGradientWeightTiled({ rows, columns, workgroups }),
      ] as const
    )
  ),
];

const stagedPatch = {
  forward: byKernel("staged-patch", conv2dForwardPatch),
  gradientInput: byKernel("staged-patch", conv2dGradientInputPatch),
} as const;

function staged(shape: Conv2dShape, kind: GpuKind | undefined): Conv2dCandidates {
  const gradientShape = { ...shape, accumulate: false };
  const { forward, gradientInput, gradientWeight }: Conv2dCandidates = {
    forward: [...distinct(stagedForward, shape, kind, byKernel), ...compact.forward],
    gradientInput: [
      ...distinct(stagedGradientInput, gradientShape, kind, byKernel),
      ...compact.gradientInput,
    ],
    gradientWeight: [...distinct(stagedGradientWeight, shape, kind, byParts), ...compact.gradientWeight],
  };
  // On the kinds of GPUs that want small tiles, patches take too many registers.
  const canStage = kind === undefined;
  return {
    forward: canStage && suitsForwardPatch(shape) ? [stagedPatch.forward, ...forward] : forward,
    gradientInput: canStage && suitsGradientInputPatch(shape)
      ? [stagedPatch.gradientInput, ...gradientInput]
      : gradientInput,
    gradientWeight,
  };
}

/**
 * Algorithms by the kernels of one shader. A kernel whose tiles equal an earlier one's, as happens with few channels,
 * is left out.
 */
function distinct<Shape, Shaped extends Kernel<Shape>, Algorithm>(
  kernels: readonly Named<Shaped>[],
  shape: Shape,
  kind: GpuKind | undefined,
  algorithm: (name: string, kernel: Shaped) => Algorithm,
): [Algorithm, ...Algorithm[]] {
  const byConstants = new Map<string, Named<Shaped>>();
  for (const named of kernels) {
    const kernel = suited(named[1], kind);
    const constants = JSON.stringify(kernel.constants(shape));
    if (!byConstants.has(constants)) byConstants.set(constants, named);
  }
  const [first, ...others] = [...byConstants.values()].map((named) => algorithm(...named));
  return [first!, ...others];
}
