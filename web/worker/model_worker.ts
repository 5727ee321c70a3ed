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
import { modelBytes, refusal } from "./model_file.ts";
import { answerCalls } from "./remote.ts";

const chains = new Chains();
let current: LoadedModel | undefined;

let next: LoadedModel | undefined;

/** Every model has its own device, whose memory is freed when the next model takes its place. */
async function open({ name, file }: ModelCalls["open"]["input"]): Promise<LoadedModel> {
  const bytes = await modelBytes(name, file);
  const gpu = await Gpu.request();
  try {
    return await LoadedModel.open(new Context(gpu), name, bytes, digits);
  } catch (error) {
    gpu.destroy();
    throw refusal(name, error);
  }
}

function use(): void {
  if (!next) throw new Error("no model has been read");
  current?.context.gpu.destroy();
  [current, next] = [next, undefined];
}

function model(): LoadedModel {
  if (!current) throw new Error("no model is open");
  return current;
}

answerCalls<ModelCalls>(self, {
  open: async (file) => {
    const opened = await open(file);
    next?.context.gpu.destroy();
    next = opened;
    return next.summary;
  },
  use,
  export: (format) => model().serialize(format),
  sample: (settings, report, signal) => chains.run(model(), settings, report, signal),
  adjust: (live) => chains.adjust(live),
  assess: async (image) => {
    using uploaded = model().upload(image);
    return await model().assess(uploaded);
  },
  testImage: (index) => model().testImage(index),
  picture: ({ name, file }) => model().picture(name, file),
  attack: (settings, report, signal) => attackImage(model(), settings, report, signal),
});
