/** What several comparisons with the reference have in common. */

import { type HostTensor, imagesFromPyTorch } from "../../src/formats/pytorch/layout.ts";
import { readModel } from "../../src/nn/state_dict.ts";
import type { WideResNet } from "../../src/nn/wide_resnet.ts";
import type { Context } from "../../src/tensor/context.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { GoldenFile } from "./golden_file.ts";
import type { Sensitivity, Verdicts } from "./verdict.ts";

/** Reference images `[N, C, H, W]` as a tensor `[N, H, W, C]`. */
export function inputTensor(context: Context, images: HostTensor): Tensor {
  const { shape, data } = imagesFromPyTorch(images);
  return context.from(data, shape);
}

/** Element `index` of a reference tensor's leading axis. */
export function leading({ shape, data }: HostTensor, index: number): HostTensor {
  const size = data.length / shape[0]!;
  return { shape: shape.slice(1), data: data.slice(index * size, (index + 1) * size) };
}

/** A scalar tensor's value. */
export async function scalar(tensor: Tensor): Promise<number> {
  return (await tensor.read())[0]!;
}

/** Compares the running statistics with all tensors of the file below a prefix. */
export async function compareRunning(
  verdicts: Verdicts,
  prefix: string,
  file: GoldenFile,
  model: WideResNet,
  sensitivity: Sensitivity,
): Promise<void> {
  const state = await readModel(model);
  for (const name of file.names.filter((name) => name.startsWith(prefix))) {
    const [, key] =
      /^(f\..*\.(?:running_mean|running_var|num_batches_tracked))$/.exec(name.slice(prefix.length)) ??
        [];
    if (key === undefined) continue;
    if (key.endsWith("num_batches_tracked")) {
      verdicts.compareCount(name, model.runningStatistics.batchesTracked);
    } else {
      verdicts.compare(name, state.get(key)!, sensitivity);
    }
  }
}
