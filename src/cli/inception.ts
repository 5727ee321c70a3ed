import { fileURLToPath } from "node:url";
import { exists } from "../data/files.ts";
import { RegularFile } from "../data/regular_file.ts";
import { CheckpointError, FormatError } from "../errors.ts";
import { type GaussianStatistics, requireCovariance } from "../evaluate/frechet.ts";
import {
  inceptionTensors,
  InceptionV3,
  pytorchPreprocessing,
  requireInceptionShapes,
  tensorflowPreprocessing,
} from "../evaluate/inception.ts";
import { inceptionFeatures } from "../evaluate/inception_layout.ts";
import { npzNames, parseNpz, serializeNpz } from "../formats/npz.ts";
import { openPyTorch } from "../formats/pytorch/pytorch.ts";
import type { NamedTensor } from "../formats/safetensors.ts";
import type { TensorFile } from "../formats/tensor_file.ts";
import { printable } from "../formats/text.ts";
import type { FidConvention, InceptionOptions } from "../report/question.ts";
import type { Context } from "../tensor/context.ts";
import { writeAtomically } from "../train/run/files.ts";
import { printError, UsageError } from "./command.ts";

/** Default folder of the weights. */
const cacheFolder = fileURLToPath(new URL("../../data/inception", import.meta.url));
/** The weights as pytorch-fid publishes them. Their hash is part of the name. */
const weightsName = /^pt_inception-2015-12-05-.*\.pth$/;

/** Options for FID, KID and Inception Score. */
export const inceptionArguments = {
  inception: { type: "string" },
  "fid-convention": { type: "string", default: "current" },
  "fid-statistics": { type: "string" },
} as const;

/** Their part of the help. */
export const inceptionHelp = `
  --inception PATH    the standard FID weights, pt_inception-2015-12-05-*.pth, or their folder, for FID, KID and
                      Inception Score (default: data/inception/)
  --fid-convention C  current: 8-bit samples against the training images, resized as pytorch-fid; official: samples not
                      rounded, against training and test images, resized as TensorFlow 1, as the official script does
                      (default: current)
  --fid-statistics F  .npz of the real images' mu and sigma, as pytorch-fid's; written if it does not exist
`.slice(1, -1);

/**
 * Inception-v3 and the file of its statistics, if the weights are available.
 * @throws {UsageError} if there is no such convention, or statistics are named and no weights are available.
 * @throws {CheckpointError} if a named file is missing, a file is damaged, or statistics are not of these features.
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
  const file = values["fid-statistics"];
  if (path === undefined) {
    if (values.inception !== undefined) {
      throw new CheckpointError(`there is no file pt_inception-2015-12-05-*.pth in ${values.inception}`);
    }
    if (file === undefined) return undefined;
    throw new UsageError("--fid-statistics needs the weights of Inception-v3 (--inception)");
  }
  const statistics = file !== undefined && await exists(file)
    ? { values: await readStatistics(file), file }
    : undefined;
  return {
    network: await readNetwork(context, path, convention),
    convention,
    statistics,
    keep: async (statistics) => {
      if (file !== undefined) await writeAtomically(file, serializeStatistics(statistics));
    },
  };
}

function conventionOf(name: string): FidConvention {
  if (name === "current" || name === "official") return name;
  throw new UsageError(`--fid-convention takes current or official, not "${name}"`);
}

/** The weights at a path, which is their file or a folder that holds it. */
async function weightsIn(path: string): Promise<string | undefined> {
  if (!await exists(path)) return undefined;
  if (!(await Deno.stat(path)).isDirectory) return path;
  for await (const { name } of Deno.readDir(path)) if (weightsName.test(name)) return `${path}/${name}`;
  return undefined;
}

async function readNetwork(context: Context, path: string, convention: FidConvention): Promise<InceptionV3> {
  const preprocessing = convention === "official" ? tensorflowPreprocessing : pytorchPreprocessing;
  return await ofFile(path, async () => {
    using file = await RegularFile.open(path);
    return new InceptionV3(context, await inceptionState(await openPyTorch(file)), preprocessing);
  });
}

/** The network's tensors, wherever the file has its state dict. Nothing else is read. */
async function inceptionState(file: TensorFile): Promise<Map<string, NamedTensor>> {
  const wanted = inceptionTensors();
  const first = [...file.tensors.keys()].find((name) => name === wanted[0] || name.endsWith(`.${wanted[0]}`));
  const prefix = first?.slice(0, -wanted[0]!.length) ?? "";
  const found = wanted.filter((name) => file.tensors.has(prefix + name));
  requireInceptionShapes(new Map(found.map((name) => [name, file.tensors.get(prefix + name)!])));
  const read = await file.read(found.map((name) => prefix + name));
  return new Map(found.map((name) => [name, read.get(prefix + name)!]));
}

/** Says which file is wrong. */
async function ofFile<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
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

/** Names of the arrays, as pytorch-fid saves them. */
const statisticsNames = ["mu", "sigma"] as const;

async function readStatistics(path: string): Promise<GaussianStatistics> {
  return await ofFile(path, async () => {
    using file = await RegularFile.open(path);
    const arrays = await parseNpz(file, statisticsNames);
    const others = npzNames(file).filter((name) => !statisticsNames.some((wanted) => wanted === name));
    if (others.length > 0) {
      printError(`${path}: left alone: ${others.slice(0, 12).map(printable).join(", ")}`);
    }
    const [mean, covariance] = statisticsNames.map((name) =>
      Float64Array.from(arrays.get(name)?.data ?? [], Number)
    );
    const dimension = mean!.length;
    if (dimension === 0 || covariance!.length !== dimension ** 2) {
      throw new CheckpointError("it does not hold mu and sigma of one size");
    }
    if (dimension !== inceptionFeatures) {
      throw new CheckpointError(
        `the statistics are of ${dimension} features (pytorch-fid --dims ${dimension}); ` +
          `FID is of ${inceptionFeatures}`,
      );
    }
    const statistics = { mean: mean!, covariance: covariance!, dimension };
    requireCovariance(statistics);
    return statistics;
  });
}
