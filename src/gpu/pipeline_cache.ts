/** How a kernel uses one binding: a storage buffer that it reads or also writes, or a texture that it reads. */
export type Access = "read" | "read-write" | "texture";

/** What makes one compute pipeline: WGSL text, entry point, values of its `override` constants, and its bindings. */
export interface Program {
  readonly name: string;
  readonly wgsl: string;
  readonly entryPoint: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly access: readonly Access[];
  /** The binding of a uniform buffer beside them, if there is one. */
  readonly uniformBinding?: number | undefined;
}

/** A pipeline with the layout that its bind groups need. */
export interface CompiledProgram {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

interface Layout {
  readonly bindGroup: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** Compute pipelines, one for each shader, entry point and set of constants; layouts, one for each list of accesses. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #onCreate: () => void;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, Layout>();
  readonly #compiled = new Map<string, CompiledProgram>();

  constructor(device: GPUDevice, onCreate: () => void) {
    this.#device = device;
    this.#onCreate = onCreate;
  }

  /** The pipeline of a program, compiled on first use. */
  get(program: Program): CompiledProgram {
    const key = `${program.name}/${program.entryPoint}/${JSON.stringify(program.constants)}`;
    const known = this.#compiled.get(key);
    if (known) return known;
    const layout = this.#layout(program);
    const pipeline = this.#device.createComputePipeline({
      label: program.name,
      layout: layout.pipeline,
      compute: {
        module: this.#module(program.wgsl, program.name),
        entryPoint: program.entryPoint,
        constants: program.constants,
      },
    });
    this.#onCreate();
    const compiled = { pipeline, layout: layout.bindGroup };
    this.#compiled.set(key, compiled);
    return compiled;
  }

  #module(code: string, label: string): GPUShaderModule {
    let module = this.#modules.get(code);
    if (!module) {
      module = this.#device.createShaderModule({ label, code });
      this.#modules.set(code, module);
    }
    return module;
  }

  #layout({ access, uniformBinding }: Program): Layout {
    const key = `${access.join()} ${uniformBinding}`;
    let layout = this.#layouts.get(key);
    if (!layout) {
      const visibility = GPUShaderStage.COMPUTE;
      const entries = access.map((mode, binding): GPUBindGroupLayoutEntry => ({
        binding,
        visibility,
        ...(mode === "texture"
          ? { texture: { sampleType: "unfilterable-float" } }
          : { buffer: { type: mode === "read" ? "read-only-storage" : "storage" } }),
      }));
      if (uniformBinding !== undefined) {
        entries.push({ binding: uniformBinding, visibility, buffer: { type: "uniform" } });
      }
      const bindGroup = this.#device.createBindGroupLayout({ entries });
      layout = {
        bindGroup,
        pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [bindGroup] }),
      };
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}
