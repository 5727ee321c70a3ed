/**
 * The layers of Inception-v3 as FID uses it: the network of pytorch-fid (`fid_inception_v3`), which differs from
 * torchvision's in its pooling and was trained by TensorFlow for 1008 outputs. Names are those of the state dict.
 */

/** A convolution without bias, with batch norm and ReLU. */
export interface ConvUnit {
  readonly name: string;
  readonly outChannels: number;
  /** Height and width. */
  readonly kernel: readonly [number, number];
  readonly stride: number;
  /** Vertical and horizontal. */
  readonly padding: readonly [number, number];
}

/** Pooling by windows of 3 × 3 pixels. */
export interface PoolUnit {
  readonly average: boolean;
  readonly stride: number;
  readonly padding: number;
}

/** Consecutive layers. The last ones take the same input, and their results are concatenated. */
export interface Branch {
  readonly pool?: PoolUnit;
  readonly chain: readonly ConvUnit[];
  /** If there are none, the pool is the branch's result. */
  readonly last: readonly ConvUnit[];
}

/** Branches that take the same input; their results are concatenated. */
export interface InceptionBlock {
  /** Prefix of the names of its convolutions, before a dot; empty for those of the stem. */
  readonly name: string;
  readonly branches: readonly Branch[];
  /** The name under which observers see the result. */
  readonly observed?: string;
}

/** Number of outputs of the last layer in the published weights. */
export const inceptionClasses = 1008;
/** Features of the last pool, which FID compares. */
export const inceptionFeatures = 2048;
/** Side of the images that the network takes. */
export const inceptionSize = 299;

/** A convolution that keeps the image's size. */
function same(name: string, outChannels: number, height: number, width = height): ConvUnit {
  const padding = [(height - 1) / 2, (width - 1) / 2] as const;
  return { name, outChannels, kernel: [height, width], stride: 1, padding };
}

/** A convolution without padding. */
function valid(name: string, outChannels: number, stride: number): ConvUnit {
  return { name, outChannels, kernel: [3, 3], stride, padding: [0, 0] };
}

function sequence(...units: readonly ConvUnit[]): Branch {
  return { chain: units.slice(0, -1), last: units.slice(-1) };
}

const halvingPool: Branch = { pool: { average: false, stride: 2, padding: 0 }, chain: [], last: [] };

function pooled(average: boolean, outChannels: number): Branch {
  return {
    pool: { average, stride: 1, padding: 1 },
    ...sequence(same("branch_pool", outChannels, 1)),
  };
}

function stem(unit: ConvUnit): InceptionBlock {
  return { name: "", branches: [sequence(unit)] };
}

/** FIDInceptionA. */
function blockA(name: string, poolChannels: number): InceptionBlock {
  return {
    name,
    branches: [
      sequence(same("branch1x1", 64, 1)),
      sequence(same("branch5x5_1", 48, 1), same("branch5x5_2", 64, 5)),
      sequence(same("branch3x3dbl_1", 64, 1), same("branch3x3dbl_2", 96, 3), same("branch3x3dbl_3", 96, 3)),
      pooled(true, poolChannels),
    ],
  };
}

/** torchvision's InceptionB. */
function blockB(name: string): InceptionBlock {
  return {
    name,
    branches: [
      sequence(valid("branch3x3", 384, 2)),
      sequence(same("branch3x3dbl_1", 64, 1), same("branch3x3dbl_2", 96, 3), valid("branch3x3dbl_3", 96, 2)),
      halvingPool,
    ],
  };
}

/** FIDInceptionC. */
function blockC(name: string, inner: number): InceptionBlock {
  return {
    name,
    branches: [
      sequence(same("branch1x1", 192, 1)),
      sequence(
        same("branch7x7_1", inner, 1),
        same("branch7x7_2", inner, 1, 7),
        same("branch7x7_3", 192, 7, 1),
      ),
      sequence(
        same("branch7x7dbl_1", inner, 1),
        same("branch7x7dbl_2", inner, 7, 1),
        same("branch7x7dbl_3", inner, 1, 7),
        same("branch7x7dbl_4", inner, 7, 1),
        same("branch7x7dbl_5", 192, 1, 7),
      ),
      pooled(true, 192),
    ],
  };
}

/** torchvision's InceptionD. */
function blockD(name: string): InceptionBlock {
  return {
    name,
    branches: [
      sequence(same("branch3x3_1", 192, 1), valid("branch3x3_2", 320, 2)),
      sequence(
        same("branch7x7x3_1", 192, 1),
        same("branch7x7x3_2", 192, 1, 7),
        same("branch7x7x3_3", 192, 7, 1),
        valid("branch7x7x3_4", 192, 2),
      ),
      halvingPool,
    ],
  };
}

/** FIDInceptionE_1 (average pool) and FIDInceptionE_2 (maximum). */
function blockE(name: string, average: boolean): InceptionBlock {
  return {
    name,
    branches: [
      sequence(same("branch1x1", 320, 1)),
      {
        chain: [same("branch3x3_1", 384, 1)],
        last: [same("branch3x3_2a", 384, 1, 3), same("branch3x3_2b", 384, 3, 1)],
      },
      {
        chain: [same("branch3x3dbl_1", 448, 1), same("branch3x3dbl_2", 384, 3)],
        last: [same("branch3x3dbl_3a", 384, 1, 3), same("branch3x3dbl_3b", 384, 3, 1)],
      },
      pooled(average, 192),
    ],
  };
}

/** All blocks from the resized image to the last features, before the mean over space. */
export const inceptionBlocks: readonly InceptionBlock[] = [
  stem(valid("Conv2d_1a_3x3", 32, 2)),
  stem(valid("Conv2d_2a_3x3", 32, 1)),
  stem(same("Conv2d_2b_3x3", 64, 3)),
  { name: "", branches: [halvingPool], observed: "block0" },
  stem(same("Conv2d_3b_1x1", 80, 1)),
  stem(valid("Conv2d_4a_3x3", 192, 1)),
  { name: "", branches: [halvingPool], observed: "block1" },
  blockA("Mixed_5b", 32),
  blockA("Mixed_5c", 64),
  blockA("Mixed_5d", 64),
  blockB("Mixed_6a"),
  blockC("Mixed_6b", 128),
  blockC("Mixed_6c", 160),
  blockC("Mixed_6d", 160),
  { ...blockC("Mixed_6e", 192), observed: "block2" },
  blockD("Mixed_7a"),
  blockE("Mixed_7b", true),
  blockE("Mixed_7c", false),
];

/** The state dict's name of a convolution of a block. */
export function unitName(block: InceptionBlock, unit: ConvUnit): string {
  return block.name === "" ? unit.name : `${block.name}.${unit.name}`;
}

/** Every convolution with its number of input channels, in order. */
export function* inceptionUnits(): Generator<{ name: string; unit: ConvUnit; inChannels: number }> {
  let blockChannels = 3;
  for (const block of inceptionBlocks) {
    for (const { chain, last } of block.branches) {
      let inChannels = blockChannels;
      for (const unit of chain) {
        yield { name: unitName(block, unit), unit, inChannels };
        inChannels = unit.outChannels;
      }
      for (const unit of last) yield { name: unitName(block, unit), unit, inChannels };
    }
    blockChannels = blockOutChannels(block, blockChannels);
  }
}

/** Number of channels in a block's result. */
export function blockOutChannels({ branches }: InceptionBlock, inChannels: number): number {
  const branchChannels = ({ last }: Branch) =>
    last.length === 0 ? inChannels : last.reduce((sum, { outChannels }) => sum + outChannels, 0);
  return branches.reduce((sum, branch) => sum + branchChannels(branch), 0);
}
