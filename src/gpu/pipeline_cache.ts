import { type Access, bindGroupLayoutEntries } from "../kernels/bind_group_layout.ts";

/** What defines a compute pipeline: WGSL text, entry point, values of its `override` constants, and its bindings. */
export interface Program {
  /** For labels; two programs may share it. */
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

/** What was made from one WGSL text. */
interface Shader {
  readonly module: GPUShaderModule;
  /** By entry point, constants and layout. */
  readonly compiled: Map<string, CompiledProgram>;
}

/**
 * Compute pipelines, one for each WGSL text, entry point, set of constants and layout, whatever the programs are
 * called; and layouts, one for each list of accesses.
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #onCreate: () => void;
  readonly #shaders = new Map<string, Shader>();
  readonly #layouts = new Map<string, Layout>();

  constructor(device: GPUDevice, onCreate: () => void) {
    this.#device = device;
    this.#onCreate = onCreate;
  }

  /** The pipeline of a program, compiled on first use. */
  get(program: Program): CompiledProgram {
    const { name, wgsl, entryPoint, constants } = program;
    const { module, compiled } = this.#shader(wgsl, name);
    const layoutKey = layoutKeyOf(program);
    const key = `${entryPoint} ${JSON.stringify(constants)} ${layoutKey}`;
    const known = compiled.get(key);
    if (known) return known;
    const layout = this.#layout(program, layoutKey);
    const pipeline = this.#device.createComputePipeline({
      label: name,
      layout: layout.pipeline,
      compute: { module, entryPoint, constants },
    });
    this.#onCreate();
    const made = { pipeline, layout: layout.bindGroup };
    compiled.set(key, made);
    return made;
  }

  #shader(code: string, label: string): Shader {
    let shader = this.#shaders.get(code);
    if (!shader) {
      shader = { module: this.#device.createShaderModule({ label, code }), compiled: new Map() };
      this.#shaders.set(code, shader);
    }
    return shader;
  }

  #layout({ access, uniformBinding }: Program, key: string): Layout {
    let layout = this.#layouts.get(key);
    if (!layout) {
      const entries = bindGroupLayoutEntries(access, uniformBinding);
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

function layoutKeyOf({ access, uniformBinding }: Program): string {
  return `${access.join()} ${uniformBinding}`;
}
