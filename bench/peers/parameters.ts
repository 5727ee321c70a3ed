/** The parameters that a model starts from, for libraries that cannot compute them. */

import { Gpu } from "../../src/gpu/gpu.ts";
import { readModel, type StateDict } from "../../src/nn/state_dict.ts";
import { type Architecture, WideResNet } from "../../src/nn/wide_resnet.ts";
import { Context } from "../../src/tensor/context.ts";
import { seed } from "./gradient_case.ts";

/** The trained tensors of a model in PyTorch's layout, which is also jax-js's. */
export async function initialParameters(architecture: Architecture): Promise<StateDict> {
  const gpu = await Gpu.request();
  const state = await readModel(new WideResNet(new Context(gpu), architecture, seed));
  gpu.destroy();
  return trainedParameters(state);
}

/** A state dict without running statistics and the energy head, which is not trained. */
export function trainedParameters(state: StateDict): StateDict {
  return new Map([...state].filter(([name]) => !/running_|^energy_output/.test(name)));
}
