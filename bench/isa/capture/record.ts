/** Notes what the layer below cannot see of each compute pipeline: its label and its constants. */

/** A pipeline, and how often a plan dispatches it. */
export interface RecordedPipeline {
  /** Name of its files in the dump, such as `0012`. */
  readonly number: string;
  readonly label: string;
  readonly entryPoint: string;
  readonly constants: Readonly<Record<string, number>>;
  dispatches: number;
}

/** The pipelines that have been created since {@link recordPipelines}. */
export interface Recording {
  readonly pipelines: readonly RecordedPipeline[];
  readonly byPipeline: ReadonlyMap<GPUComputePipeline, RecordedPipeline>;
}

/**
 * Records the pipelines that are created from now on.
 * @param folder where the layer writes each one as it is created, which gives its number
 */
export function recordPipelines(folder: string): Recording {
  const pipelines: RecordedPipeline[] = [];
  const byPipeline = new Map<GPUComputePipeline, RecordedPipeline>();
  const { createComputePipeline } = GPUDevice.prototype;
  GPUDevice.prototype.createComputePipeline = function (descriptor) {
    const before = dumped(folder);
    const pipeline = createComputePipeline.call(this, descriptor);
    const { label, compute: { entryPoint, constants } } = descriptor;
    if (dumped(folder) !== before + 1) {
      throw new Error(`the layer saw ${dumped(folder) - before} pipelines where ${label} was made`);
    }
    const recorded = {
      number: String(before).padStart(4, "0"),
      label: label || "unnamed",
      entryPoint: entryPoint ?? "main",
      constants: { ...constants },
      dispatches: 0,
    };
    pipelines.push(recorded);
    byPipeline.set(pipeline, recorded);
    return pipeline;
  };
  GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
    return Promise.resolve(this.createComputePipeline(descriptor));
  };
  return { pipelines, byPipeline };
}

function dumped(folder: string): number {
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".spv")).length;
}
