import { describeData } from "../../data/description.ts";
import type { Dataset } from "../../data/dataset.ts";
import { type Common, type Facts, requireAgreement } from "../../distributed/agreement.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { crc32Text } from "../../formats/archives/crc32.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Conv2dTable } from "../../tensor/operations/conv2d/table.ts";
import type { Checkpoint } from "../../train/checkpoint/checkpoint.ts";

/** What the results of a command depend on. */
export interface Work {
  readonly gpu: Gpu;
  /** The choice of convolution kernels, if it is not the default one. */
  readonly kernels: Conv2dTable | undefined;
  /** The options, by name. */
  readonly values: Facts;
  readonly checkpoint: Pick<Checkpoint, "tensors">;
  readonly dataset?: Dataset | undefined;
}

/**
 * Checks that all ranks of a job do the same work on adapters of one kind, because each computes a part of one result,
 * and waits for the others at the same points.
 * @param rest what else they must agree on
 * @throws {ConfigurationError} on all ranks, naming a rank that differs, where, and how.
 */
export async function requireSameWork(
  communicator: Communicator,
  { gpu, kernels, values, checkpoint, dataset }: Work,
  rest: Common = {},
): Promise<void> {
  if (communicator.size === 1) return;
  await requireAgreement(communicator, {
    options: values,
    adapter: { name: gpu.adapterName },
    kernels: { checksum: checksumOfText(JSON.stringify(kernels?.choices ?? [])) },
    model: { checksum: checksumOf(checkpoint) },
    ...(dataset && { data: { ...describeData(dataset) } }),
    ...rest,
  });
}

/** Distinguishes models, including what is stored with them. */
function checksumOf({ tensors }: Pick<Checkpoint, "tensors">): string {
  const all = [...tensors].map(([name, { shape, data }]) => {
    return `${name} ${shape} ${crc32Text(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}`;
  });
  return checksumOfText(all.join("\n"));
}

function checksumOfText(text: string): string {
  return crc32Text(new TextEncoder().encode(text));
}
