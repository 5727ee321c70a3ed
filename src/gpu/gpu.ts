import { GpuError, type GpuLostError } from "../errors.ts";
import type { MatrixUnits } from "../kernels/conv2d/matrix.ts";
import { type AdapterFamily, adapterFamily } from "./adapter_family.ts";
import { type GpuKind, gpuKind } from "../kernels/gpu_kind.ts";
import { type Backend, backendOf, describeAdapter, matrixAdvice } from "./backend.ts";
import type { BufferPool, PooledBuffer } from "./buffer_pool.ts";
import { type BufferRange, type Command, encode, type TextureUpload } from "./command.ts";
import { DeviceHealth } from "./device_health.ts";
import { matrixFeatures, matrixUnitsOf } from "./matrix_units.ts";
import { paperDevice } from "./paper_device.ts";
import { PipelineCache, type Program } from "./pipeline_cache.ts";
import { Plan } from "./plan.ts";
import { Recording } from "./recording.ts";
import { mostPowerfulAdapter, requestDevice } from "./request_device.ts";
import type { TextureSize } from "./texture_pool.ts";
import { SubmissionSizes } from "./submission_sizes.ts";
import { UniformBuffers } from "./uniform_buffers.ts";
import type { Watchdog } from "./watchdog.ts";

/** What the device has been asked to create and do since it was opened. */
export interface Counters {
  buffers: number;
  textures: number;
  pipelines: number;
  bindGroups: number;
  dispatches: number;
  submits: number;
}

/** A WebGPU device with pooled buffers, cached pipelines and a list of recorded commands. */
export class Gpu {
  readonly device: GPUDevice;
  /**
   * The adapter's own description, with the backend if it is known, and whether its matrix units are used. An adapter
   * has the same description on all backends, but other results. Example: `llvmpipe (LLVM 15.0.6, 256 bits), Vulkan`.
   */
  readonly adapterName: string;
  /** The backend of WebGPU, if it is known. */
  readonly backend: Backend | undefined;
  /** The kind of adapter, by which kernels are chosen. */
  readonly adapterFamily: AdapterFamily;
  /** For a GPU, the kind whose tiles suit it, if those of most GPUs do not. */
  readonly kind: GpuKind | undefined;
  readonly counters: Counters = {
    buffers: 0,
    textures: 0,
    pipelines: 0,
    bindGroups: 0,
    dispatches: 0,
    submits: 0,
  };
  readonly #pipelines: PipelineCache;
  readonly #uniforms: UniformBuffers;
  readonly #sizes = new SubmissionSizes();
  readonly #health: DeviceHealth;
  readonly #root: Recording;
  /** The recording of the plan that is being captured, or else the root's. */
  #recording: Recording;

  private constructor(
    device: GPUDevice,
    adapter: Pick<GPUAdapter, "info" | "features">,
    family: AdapterFamily | undefined,
    kind: GpuKind | undefined = gpuKind(adapter.info),
    /** Whether it computes nothing, so that it needs no values: see {@link Gpu.onPaper}. */
    readonly isOnPaper: boolean = false,
    /** Its matrix units, if convolutions use them. */
    readonly matrixUnits: MatrixUnits | undefined = undefined,
  ) {
    this.device = device;
    this.backend = backendOf(adapter, navigator.platform);
    const name = describeAdapter(adapter.info, this.backend);
    this.adapterName = matrixUnits && !isOnPaper ? `${name}, float16 products` : name;
    // Told by the name: browsers leave the description empty and name SwiftShader as an architecture.
    this.adapterFamily = family ?? adapterFamily(name);
    this.kind = this.adapterFamily === "gpu" ? kind : undefined;
    this.#pipelines = new PipelineCache(device, () => this.counters.pipelines++);
    this.#uniforms = new UniformBuffers(device, () => this.counters.buffers++);
    this.#root = this.#recording = new Recording(device, this.counters);
    this.#health = new DeviceHealth(device, this.counters);
  }

  /**
   * Opens the most powerful adapter with its largest buffer limits, and timestamp queries and float16 where it has them.
   * @param family treats the adapter as one of this family, to try kernels meant for others; by default its own
   * @param kind treats the GPU as one of this kind, likewise
   * @throws {GpuError} if there is no adapter, or it gives no device.
   */
  static async request(family?: AdapterFamily, kind?: GpuKind): Promise<Gpu> {
    const adapter = await mostPowerfulAdapter();
    return new Gpu(await requestDevice(adapter), adapter, family, kind);
  }

  /**
   * Opens an adapter in the same way, and computes convolutions and their gradients with respect to inputs on its
   * matrix units.
   * @throws {GpuError} if the adapter offers none.
   */
  static async withMatrixUnits(): Promise<Gpu> {
    const adapter = await mostPowerfulAdapter();
    const matrixUnits = matrixUnitsOf(adapter);
    if (!matrixUnits) {
      const name = describeAdapter(adapter.info, backendOf(adapter, navigator.platform));
      throw new GpuError(
        `products of float16 need matrix units, which ${name} does not offer: ${matrixAdvice}`,
      );
    }
    const device = await requestDevice(adapter, matrixFeatures);
    return new Gpu(device, adapter, undefined, undefined, false, matrixUnits);
  }

  /**
   * A GPU like another one that does nothing: commands recorded on it are checked and counted, and take none of the
   * other's memory.
   */
  static onPaper({ device, adapterName, adapterFamily, kind, matrixUnits }: Gpu): Gpu {
    const { limits, features } = device;
    const info = { description: adapterName, vendor: "", architecture: "", device: "" } as GPUAdapterInfo;
    const adapter = { info, features };
    return new Gpu(paperDevice({ limits, features }), adapter, adapterFamily, kind, true, matrixUnits);
  }

  /** Watches the waits for the device. */
  get watchdog(): Watchdog {
    return this.#health.watchdog;
  }

  /** The pool that buffers are borrowed from: the plan's own while a plan is being captured. */
  get pool(): BufferPool {
    return this.#recording.pool;
  }

  /** Bytes of GPU memory held outside plans, on loan or free. */
  get bytes(): number {
    return this.#root.pool.totalBytes + this.#root.textures.totalBytes;
  }

  /** Whether a plan is being captured. */
  get capturing(): boolean {
    return this.#recording !== this.#root;
  }

  /** Commands that are recorded but not submitted; those of the plan while a plan is being captured. */
  get recorded(): number {
    return this.#recording.commands.length;
  }

  /** Borrows memory; see {@link BufferPool.acquire}. */
  acquire(bytes: number): PooledBuffer {
    return this.#recording.pool.acquire(bytes);
  }

  /**
   * A texture with the contents of a range. If no texture has them yet, copies into one are recorded.
   * @param copiesInto the arguments of `copyBufferToTexture` that fill a texture of this size
   */
  throughTexture(
    range: BufferRange,
    size: TextureSize,
    copiesInto: (texture: GPUTexture) => readonly Omit<TextureUpload, "kind">[],
  ): GPUTextureView {
    const { commands, copies } = this.#recording;
    return copies.get(range, size, (texture) => {
      for (const copy of copiesInto(texture)) commands.push({ kind: "upload", ...copy });
    });
  }

  /**
   * Forgets which operands have been copied into textures, so that they are copied again, as in a recording of its own.
   */
  forgetCopies(): void {
    this.#recording.copies.clear();
  }

  /**
   * The commands that `build` records. {@link again} may record them once more, because they do not rely on earlier
   * copies in textures.
   */
  repeatable(build: () => void): readonly Command[] {
    this.forgetCopies();
    const { commands } = this.#recording;
    const start = commands.length;
    build();
    return commands.slice(start);
  }

  /** Records {@link repeatable} commands of the recording once more, without creating anything. */
  again(repeatable: readonly Command[]): void {
    const { commands } = this.#recording;
    for (const command of repeatable) commands.push(command);
  }

  /**
   * Records one dispatch of a program over its bindings, in the order of the program's accesses.
   * @param uniforms contents of the uniform buffer, for a program that has one
   */
  dispatch(
    program: Program,
    bindings: readonly (BufferRange | GPUTextureView)[],
    workgroups: readonly [number, number, number],
    uniforms?: Uint32Array<ArrayBuffer>,
  ) {
    const { pipeline, layout } = this.#pipelines.get(program);
    const entries: GPUBindGroupEntry[] = bindings.map((resource, binding) => ({ binding, resource }));
    if (uniforms) entries.push({ binding: program.uniformBinding!, resource: this.#uniforms.get(uniforms) });
    const bindGroup = this.device.createBindGroup({ label: program.name, layout, entries });
    this.counters.bindGroups++;
    this.#recording.commands.push({ kind: "dispatch", program, uniforms, pipeline, bindGroup, workgroups });
    bindings.forEach((resource, i) => {
      if (program.access[i] === "read-write") this.#recording.copies.written(resource as BufferRange);
    });
  }

  /** Records a copy of `source` to the start of `destination`; sizes must be multiples of 4 bytes. */
  copy(source: BufferRange, destination: BufferRange): void {
    this.#recording.commands.push({ kind: "copy", source, destination });
    this.#recording.copies.written({ ...destination, size: source.size });
  }

  /** Records zeroing of a range. */
  clear(target: BufferRange): void {
    this.#recording.commands.push({ kind: "clear", target });
    this.#recording.copies.written(target);
  }

  /**
   * Writes host data into a buffer, after all commands recorded so far.
   * @throws {GpuError} while a plan is being captured, since a plan holds GPU work only.
   */
  write(target: BufferRange, data: Float32Array | Uint32Array): void {
    if (this.capturing) throw new GpuError("host data cannot be written while a plan is being captured");
    this.submit();
    this.#root.copies.written(target);
    this.device.queue.writeBuffer(
      target.buffer,
      target.offset,
      data.buffer as ArrayBuffer,
      data.byteOffset,
      data.byteLength,
    );
  }

  /**
   * Captures the commands that `build` records, without running them. Memory acquired meanwhile belongs to the plan.
   */
  capture(build: () => void): Plan {
    if (this.capturing) throw new GpuError("a plan is already being captured");
    const recording = this.#recording = new Recording(this.device, this.counters);
    try {
      build();
      return new Plan(recording.commands, recording.pool, recording.textures, recording.cuts);
    } catch (error) {
      recording.destroy();
      throw error;
    } finally {
      this.#recording = this.#root;
    }
  }

  /**
   * Cuts the plan that is being captured in two here. {@link runAtPace} lets the host work at the cut, where it may
   * read and write what the commands use.
   */
  cut(): void {
    if (!this.capturing) throw new GpuError("only a plan that is being captured can be cut");
    this.forgetCopies();
    this.#recording.cuts.push(this.#recording.commands.length);
  }

  /** Runs a plan, after all commands recorded so far, in a few submissions, or in as many as keep each one short. */
  run(plan: Plan): void {
    if (plan.cuts.length > 0) throw new GpuError("a plan with cuts needs the host while it runs");
    this.#begin();
    for (const commands of this.#parts(plan.commands, false)) this.#submit(commands);
  }

  /**
   * The same, but waits for the device at the first run, and whenever the host is far ahead.
   * @param atCut the host's work at each cut of the plan
   */
  async runAtPace(plan: Plan, atCut?: () => Promise<void>): Promise<void> {
    const untried = this.#sizes.isUntried(plan);
    this.#begin();
    for (const [i, stretch] of plan.stretches.entries()) {
      if (i > 0) await atCut!();
      for (const commands of this.#parts(stretch, untried)) {
        this.#submit(commands);
        if (this.#sizes.isAhead) await this.#wait();
      }
    }
    if (untried) await this.#wait();
  }

  async #wait(): Promise<void> {
    await this.#health.watched(() => this.device.queue.onSubmittedWorkDone());
    this.#sizes.waited();
  }

  /** A plan knows nothing of copies made outside it. */
  #begin(): void {
    this.submit();
    this.#root.copies.clear();
  }

  *#parts(commands: readonly Command[], untried: boolean): Generator<readonly Command[]> {
    const size = this.#sizes.of(commands.length, untried);
    for (let start = 0; start < commands.length; start += size) yield commands.slice(start, start + size);
  }

  /** Submits all recorded commands. */
  submit(): void {
    if (this.capturing) throw new GpuError("commands cannot be submitted while a plan is being captured");
    if (this.#root.commands.length === 0) return;
    this.#submit(this.#root.commands);
    this.#root.commands = [];
  }

  /**
   * Submits all recorded commands and reads the ranges back together, because several maps share one wait.
   * @throws {GpuLostError} if the device was lost, reported an error since the last call, or does not answer.
   */
  async read(ranges: readonly BufferRange[]): Promise<ArrayBuffer[]> {
    this.submit();
    const sizes = ranges.map((range) => Math.ceil(range.size / 4) * 4);
    const staging = this.device.createBuffer({
      size: Math.max(4, sizes.reduce((sum, size) => sum + size, 0)),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = this.device.createCommandEncoder();
    let end = 0;
    ranges.forEach((range, i) => {
      encoder.copyBufferToBuffer(range.buffer, range.offset, staging, end, sizes[i]!);
      end += sizes[i]!;
    });
    this.device.queue.submit([encoder.finish()]);
    try {
      await this.#health.watched(() => staging.mapAsync(GPUMapMode.READ));
      this.#sizes.waited();
      const mapped = staging.getMappedRange();
      let start = 0;
      return ranges.map((range, i) => {
        const bytes = mapped.slice(start, start + range.size);
        start += sizes[i]!;
        return bytes;
      });
    } catch (error) {
      throw await this.lossBehind(error) ??
        this.#health.fail(
          `reading back from the GPU failed: ${error instanceof Error ? error.message || error.name : error}`,
        );
    } finally {
      staging.destroy();
      this.throwIfFailed();
    }
  }

  /**
   * The device's failure, if that explains why something else failed. WebGPU reports it a little later.
   * @returns nothing if the device is well
   */
  lossBehind(error: unknown): Promise<GpuLostError | undefined> {
    return this.#health.lossBehind(error);
  }

  /**
   * Throws the first error that the device has reported.
   * @throws {GpuLostError}
   */
  throwIfFailed(): void {
    this.#health.throwIfFailed();
  }

  /**
   * Destroys the device and all of its memory, unless it does not answer: destroying it would wait for it once more.
   */
  destroy(): void {
    this.#health.leave();
    if (this.#health.isSilent) return;
    this.#uniforms.destroy();
    this.#root.destroy();
    this.device.destroy();
  }

  #submit(commands: readonly Command[]): void {
    this.device.queue.submit([encode(this.device, commands)]);
    this.#sizes.submitted(commands.length);
    this.counters.submits++;
    for (const command of commands) if (command.kind === "dispatch") this.counters.dispatches++;
  }
}
