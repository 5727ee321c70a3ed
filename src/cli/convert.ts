import { parseArgs } from "node:util";
import { type Dataset, imageBytes } from "../data/dataset.ts";
import { percent } from "../evaluate/percent.ts";
import { withStarts } from "../train/carried_starts.ts";
import { fitClassGaussians, type FitOptions } from "../train/class_gaussians.ts";
import { type Checkpoint, serializeCheckpoint } from "../train/checkpoint/checkpoint.ts";
import { mostSamplingSteps } from "../train/checkpoint/header.ts";
import { published } from "../train/checkpoint/published.ts";
import { writeAtomically } from "../train/run/files.ts";
import { serializeOfficial } from "../train/checkpoint/import.ts";
import { firstOf } from "./format.ts";
import { type Command, execute, exitStatus, print, UsageError, wholeNumber } from "./command.ts";
import { LiveLine } from "./live_line.ts";
import { hintHelp, hintOptions, hintsOf, loadFitting, readCheckpoint, requireDataset } from "./model.ts";
import { writeOnly } from "./permissions.ts";

const help = `
Convert a model between PyTorch's files and this project's.

Usage: ./run convert IN OUT [options]

  IN                  a run directory, a model or checkpoint of this project, or a .pt or safetensors file that holds a
                      state dict of the official SADA-JEM, JEM++ or JEM code, in any dictionary and behind any prefix
  OUT                 what to write: .safetensors, or .pt for torch.load
  --starts RANK       let the model carry the Gaussians at which its chains start: the mean of each class and RANK
                      directions of its covariance, fitted to the training images. Sampling then needs no data.
                      For .safetensors only
  --spectrum          with --starts: also carry what these directions leave out, as the variances of a cosine
                      transform. Photographs need it for their texture
  --steps N           the number of steps of chains that draw from the model, if not K of the training
                      (.safetensors only)
  --data-folder DIR   where the training images are, if not where they were in training
  --buffer N          keep N entries of the replay buffer, evenly spaced; all by default
${hintHelp}
  --debug             show the stack trace of an error
  --help              show this text

OUT names no folder of this computer. Nothing in a .pt file is executed: it is read without Python, and refused if it
names what runs code. Whatever else it holds is left alone, and named.

Examples:
  ./run convert best_valid_ckpt.pt cifar10.safetensors --dataset cifar10
  ./run convert runs/cifar10 for_pytorch.pt
  ./run convert runs/mnist mnist.safetensors --starts 16 --steps 60 --buffer 0
`;

const options = {
  ...hintOptions,
  starts: { type: "string" },
  spectrum: { type: "boolean" },
  steps: { type: "string" },
  "data-folder": { type: "string" },
  buffer: { type: "string" },
  debug: { type: "boolean" },
} as const;

const convert: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      strict: true,
      allowPositionals: true,
    });
    const [from, to, ...more] = positionals;
    if (from === undefined || to === undefined || more.length > 0) {
      throw new UsageError("convert takes two paths, the model to read and the file to write");
    }
    const suffix = /\.(pt|pth|safetensors)$/.exec(to)?.[1];
    if (suffix === undefined) throw new UsageError(`${to} must end in .safetensors or .pt`);
    const rank = wholeNumber("--starts", values.starts, 1);
    const samplingSteps = wholeNumber("--steps", values.steps);
    if (samplingSteps !== undefined && samplingSteps > mostSamplingSteps) {
      throw new UsageError(`--steps takes at most ${mostSamplingSteps}`);
    }
    if ((rank ?? samplingSteps) !== undefined && suffix !== "safetensors") {
      throw new UsageError(
        "--starts and --steps are for .safetensors: the official code has no place for them",
      );
    }
    if (rank === undefined && values["data-folder"] !== undefined) {
      throw new UsageError("--data-folder is for --starts, which is fitted to the data");
    }
    const { spectrum = false } = values;
    if (rank === undefined && spectrum) throw new UsageError("--spectrum is for --starts");
    const entries = wholeNumber("--buffer", values.buffer);
    const hints = hintsOf(values);
    await writeOnly({ files: [to] });
    const read = await readCheckpoint(from, hints);
    requireDataset(read, hints.dataset);
    let checkpoint = { ...published(read, entries), ...(samplingSteps !== undefined && { samplingSteps }) };
    if (rank !== undefined) {
      checkpoint = withFittedStarts(
        checkpoint,
        { rank, spectrum },
        await loadFitting(read, values["data-folder"], undefined),
      );
    }
    const bytes = suffix === "safetensors"
      ? await serializeCheckpoint(checkpoint)
      : serializeOfficial(checkpoint);
    await writeAtomically(to, bytes);
    const { depth, width, norm } = checkpoint.configuration;
    const { height, channels, classNames } = checkpoint.images;
    print(
      `WRN-${depth}-${width}, norm ${norm}, ${classNames.length} classes, images of ${height}×${height}×${channels}: ` +
        `${checkpoint.tensors.size} tensors written to ${to}`,
    );
    if (read.leftAlone.length > 0) print(`left alone: ${firstOf(read.leftAlone)}`);
    return exitStatus.success;
  },
};

/** @throws {UsageError} if the covariances have fewer directions. */
function withFittedStarts(checkpoint: Checkpoint, options: FitOptions, dataset: Dataset): Checkpoint {
  const pixels = imageBytes(dataset);
  if (options.rank >= pixels) {
    throw new UsageError(`--starts takes fewer directions than the ${pixels} values of an image`);
  }
  const line = new LiveLine();
  const gaussians = fitClassGaussians(dataset, {
    ...options,
    progress: (done) => line.progress(`fitting starts: ${percent(done)}`),
  });
  line.clear();
  return withStarts(checkpoint, gaussians);
}

if (import.meta.main) await execute(convert);
