import { exists } from "../data/files.ts";
import { CheckpointError, FormatError } from "../errors.ts";
import type { GaussianStatistics } from "../evaluate/frechet.ts";
import { InceptionV3 } from "../evaluate/inception.ts";
import { parseNpz, serializeNpz } from "../formats/npz.ts";
import { parsePyTorch } from "../formats/pytorch.ts";
import type { InceptionOptions } from "../report/question.ts";
import type { Context } from "../tensor/context.ts";
import { writeAtomically } from "../train/files.ts";

/** Where the weights are looked for unless a file is named, as pytorch-fid publishes them. */
const cached = decodeURIComponent(
  new URL("../../data/inception/pt_inception-2015-12-05-6726825d.pth", import.meta.url).pathname,
);

/**
 * Inception-v3 and where its statistics are kept, if the weights are at hand.
 * @throws {CheckpointError} if a file that was named is missing, or a file is damaged.
 */
export async function inceptionOptions(
  context: Context,
  values: { readonly inception?: string; readonly "fid-statistics"?: string },
): Promise<InceptionOptions | undefined> {
  const path = values.inception ?? cached;
  if (!await exists(path)) {
    if (values.inception !== undefined) throw new CheckpointError(`there is no file ${path}`);
    return undefined;
  }
  const file = values["fid-statistics"];
  return {
    network: await readNetwork(context, path),
    statistics: file !== undefined && await exists(file) ? await readStatistics(file) : undefined,
    keep: async (statistics) => {
      if (file !== undefined) await writeAtomically(file, serializeStatistics(statistics));
    },
  };
}

async function readNetwork(context: Context, path: string): Promise<InceptionV3> {
  try {
    return new InceptionV3(context, await parsePyTorch(await Deno.readFile(path)));
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
