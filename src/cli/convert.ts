import { parseArgs } from "node:util";
import { serializeCheckpoint } from "../train/checkpoint/checkpoint.ts";
import { writeAtomically } from "../train/run/files.ts";
import { serializeOfficial } from "../train/checkpoint/import.ts";
import { firstOf } from "./format.ts";
import { type Command, execute, exitStatus, print, UsageError } from "./command.ts";
import { hintHelp, hintOptions, hintsOf, readCheckpoint, requireDataset } from "./model.ts";
import { writeOnly } from "./permissions.ts";

const help = `
Convert a model between PyTorch's files and this project's.

Usage: deno task convert IN OUT [options]

  IN                  a run directory, a model or checkpoint of this project, or a .pt or safetensors file that holds a
                      state dict of the official SADA-JEM, JEM++ or JEM code, in any dictionary and behind any prefix
  OUT                 what to write: .safetensors, or .pt for torch.load
${hintHelp}
  --debug             show the stack trace of an error
  --help              show this text

Nothing in a .pt file is executed: it is read without Python, and refused if it names what runs code. Whatever else it
holds is left alone, and named.

Examples:
  deno task convert best_valid_ckpt.pt cifar10.safetensors --dataset cifar10
  deno task convert runs/cifar10 for_pytorch.pt
`;

const options = { ...hintOptions, debug: { type: "boolean" } } as const;

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
    const hints = hintsOf(values);
    await writeOnly({ files: [to] });
    const checkpoint = await readCheckpoint(from, hints);
    requireDataset(checkpoint, hints.dataset);
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
    if (checkpoint.leftAlone.length > 0) print(`left alone: ${firstOf(checkpoint.leftAlone)}`);
    return exitStatus.success;
  },
};

if (import.meta.main) await execute(convert);
