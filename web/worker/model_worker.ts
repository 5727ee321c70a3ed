/// <reference lib="dom" />
/** The worker that holds the model: sampling, judging, attacking. */

import "./without_eval.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import { attackImage } from "./attack.ts";
import type { ModelCalls } from "./calls.ts";
import { Chains } from "./chains.ts";
import { digits } from "./digits.ts";
import { LoadedModel } from "./loaded_model.ts";
import { answerCalls } from "./remote.ts";

const chains = new Chains();
let current: LoadedModel | undefined;

/** Every model has a device of its own, whose memory goes when the next one takes its place. */
async function open({ name, bytes }: ModelCalls["open"]["input"]): Promise<LoadedModel> {
  const gpu = await Gpu.request();
  try {
    const opened = await LoadedModel.open(new Context(gpu), name, bytes, digits);
    current?.context.gpu.destroy();
    return current = opened;
  } catch (error) {
    gpu.destroy();
    throw error;
  }
}

function model(): LoadedModel {
  if (!current) throw new Error("no model is open");
  return current;
}

answerCalls<ModelCalls>(self, {
  open: async (file) => (await open(file)).summary,
  export: (format) => model().serialize(format),
  sample: (settings, report, signal) => chains.run(model(), settings, report, signal),
  adjust: (live) => chains.adjust(live),
  assess: async (image) => {
    using uploaded = model().upload(image);
    return await model().assess(uploaded);
  },
  testImage: (index) => model().testImage(index),
  attack: (settings, report, signal) => attackImage(model(), settings, report, signal),
});
