import { fileURLToPath } from "node:url";
import { exists } from "../data/files.ts";
import { CheckpointError, FormatError } from "../errors.ts";
import type { GaussianStatistics } from "../evaluate/frechet.ts";
import { InceptionV3, pytorchPreprocessing, tensorflowPreprocessing } from "../evaluate/inception.ts";
import { parseNpz, serializeNpz } from "../formats/npz.ts";
import { parsePyTorch } from "../formats/pytorch.ts";
import type { FidConvention, InceptionOptions } from "../report/question.ts";
import type { Context } from "../tensor/context.ts";
import { writeAtomically } from "../train/files.ts";
import { UsageError } from "./command.ts";

/** Where the weights are looked for unless a place is named. */
const cacheFolder = fileURLToPath(new URL("../../data/inception", import.meta.url));
/** The weights as pytorch-fid publishes them; their hash is part of the name. */
const weightsName = /^pt_inception-2015-12-05-.*\.pth$/;

/** Options for FID, KID and Inception Score. */
export const inceptionArguments = {
  inception: { type: "string" },
  "fid-convention": { type: "string", default: "current" },
  "fid-statistics": { type: "string" },
} as const;

/** Their part of the help. */
export const inceptionHelp = `
  --inception PATH    the standard FID weights, pt_inception-2015-12-05-*.pth, or their folder, for FID, KID and Inception
                      Score (default: data/inception/)
  --fid-convention C  current: 8-bit samples against the training images, resized as pytorch-fid; official: samples not
                      rounded, against training and test images, resized as TensorFlow 1, as the official script does
                      (default: current)
  --fid-statistics F  .npz of the real images' mu and sigma, as pytorch-fid's; written if it does not exist
`.trim();

/**
 * Inception-v3 and where its statistics are kept, if the weights are at hand.
 * @throws {UsageError} if there is no such convention.
 * @throws {CheckpointError} if a file that was named is missing, or a file is damaged.
 */
export async function inceptionOptions(
  context: Context,
  values: {
    readonly inception?: string;
    readonly "fid-convention": string;
    readonly "fid-statistics"?: string;
  },
): Promise<InceptionOptions | undefined> {
  const convention = conventionOf(values["fid-convention"]);
  const path = await weightsIn(values.inception ?? cacheFolder);
  if (path === undefined) {
    if (values.inception === undefined) return undefined;
    throw new CheckpointError(`there is no file pt_inception-2015-12-05-*.pth in ${values.inception}`);
  }
  const file = values["fid-statistics"];
  return {
    network: await readNetwork(context, path, convention),
    convention,
    statistics: file !== undefined && await exists(file)
      ? { values: await readStatistics(file), file }
      : undefined,
    keep: async (statistics) => {
      if (file !== undefined) await writeAtomically(file, serializeStatistics(statistics));
    },
  };
}

function conventionOf(name: string): FidConvention {
  if (name === "current" || name === "official") return name;
  throw new UsageError(`--fid-convention takes current or official, not "${name}"`);
}

/** The weights at a path: it is their file, or a folder that holds it. */
async function weightsIn(path: string): Promise<string | undefined> {
  if (!await exists(path)) return undefined;
  if (!(await Deno.stat(path)).isDirectory) return path;
  for await (const { name } of Deno.readDir(path)) if (weightsName.test(name)) return `${path}/${name}`;
  return undefined;
}

async function readNetwork(context: Context, path: string, convention: FidConvention): Promise<InceptionV3> {
  const preprocessing = convention === "official" ? tensorflowPreprocessing : pytorchPreprocessing;
  try {
    return new InceptionV3(context, await parsePyTorch(await Deno.readFile(path)), preprocessing);
  } catch (error) {
    if (error instanceof FormatError || error instanceof CheckpointError) {
      throw new CheckpointError(`${path}: ${error.message}`);
    }
    throw error;
  }
}

/** `mu` and `sigma`, as pytorch-fid saves them. */
function serializeStatistics({ mean, covariance, dimension }: GaussianStatistics): Uint8Array {
  return serializeNpz(
    new Map([
      ["mu", { shape: [dimension], data: mean }],
      ["sigma", { shape: [dimension, dimension], data: covariance }],
    ]),
  );
}

async function readStatistics(path: string): Promise<GaussianStatistics> {
  const arrays = await parseNpz(await Deno.readFile(path));
  const [mean, covariance] = ["mu", "sigma"].map((name) =>
    Float64Array.from(arrays.get(name)?.data ?? [], Number)
  );
  const dimension = mean!.length;
  if (dimension === 0 || covariance!.length !== dimension ** 2) {
    throw new CheckpointError(`${path} does not hold mu and sigma of one size`);
  }
  return { mean: mean!, covariance: covariance!, dimension };
}
