/** Scripts of the page, by the names under which they are served. */
export const scripts = {
  main: "web/page/main.ts",
  model_worker: "web/worker/model_worker.ts",
  training_worker: "web/worker/training_worker.ts",
} as const;

/** The script that draws the curves of trainings. */
export const curvesScriptSource = "web/curves/main.ts";
