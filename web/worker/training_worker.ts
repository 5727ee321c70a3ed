/// <reference lib="dom" />
/** The worker that trains, on its own device, so that neither the page nor its model has to wait. */

import "./without_eval.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import type { TrainingCalls } from "./calls.ts";
import { digits } from "./digits.ts";
import { answerCalls } from "./remote.ts";
import { trainDigits } from "./training.ts";

answerCalls<TrainingCalls>(self, {
  train: async (settings, report, signal) => {
    const gpu = await Gpu.request();
    try {
      return await trainDigits(new Context(gpu), await digits(), settings, report, signal);
    } finally {
      gpu.destroy();
    }
  },
});
