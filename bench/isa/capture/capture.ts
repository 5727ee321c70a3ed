import type { GpuKind } from "../../../src/kernels/gpu_kind.ts";
import { measureProcess } from "../../lib/processes.ts";
import { driverFile } from "../drivers.ts";
import { layerName, ToolError, type Tools } from "../tools.ts";
import type { RecordedPipeline } from "./record.ts";
import type { Subject } from "./subjects.ts";

/** The pipelines of a subject, in the order in which they were created. */
export interface Captured {
  readonly subject: Subject;
  readonly pipelines: readonly RecordedPipeline[];
}

/** Why nothing could be captured, in one line. */
export interface Refused {
  readonly refused: string;
}

/** The WebGPU that turns WGSL into SPIR-V: wgpu's naga, in Deno, or Dawn's Tint, in Chromium. */
export type WebGpu = "deno" | "dawn";

/** What any GPU can bind at once. Lavapipe's 128 MiB are less than an iteration needs. */
const storageBytes = 2 ** 31 - 4;

/** Deno's flags: Dawn is a native library, and peers read the environment. */
function permissionsFor(subject: Subject, webgpu: WebGpu): string[] {
  if (subject === "tensorflow.js" || subject === "jax-js") {
    return ["--allow-read", "--allow-env", "--allow-sys"];
  }
  return webgpu === "dawn" ? ["--allow-read", "--allow-ffi"] : ["--allow-read"];
}

/**
 * Creates the pipelines of a subject on lavapipe and writes them to a folder: `NNNN.spv` and `NNNN.txt`, see
 * `dump_layer.c`. Kernels are chosen as for a kind of GPU, and no part of an iteration runs.
 * @throws {ToolError} if there is no adapter; Dawn does not open those of Mesa before 25.
 */
export async function capture(
  { layerFolder }: Tools,
  folder: string,
  subject: Subject,
  { webgpu = "deno", kind }: { readonly webgpu?: WebGpu; readonly kind?: GpuKind | undefined } = {},
): Promise<Captured> {
  await Deno.mkdir(folder, { recursive: true });
  const result = await measureProcess<Captured | Refused>(
    {
      script: "isa/capture/main.ts",
      permissions: permissionsFor(subject, webgpu),
      env: {
        VK_DRIVER_FILES: driverFile("lvp")!,
        VK_ADD_LAYER_PATH: layerFolder,
        VK_INSTANCE_LAYERS: layerName,
        DUMP_FOLDER: folder,
        DUMP_STORAGE_BYTES: String(storageBytes),
        DENO_WEBGPU_BACKEND: "vulkan",
        XDG_RUNTIME_DIR: folder,
      },
    },
    folder,
    subject,
    webgpu,
    ...kind ? [kind] : [],
  );
  if ("pipelines" in result) return result;
  const advice = webgpu === "dawn" ? "Dawn needs Mesa 25 or later: " : "";
  throw new ToolError(`${advice}${result.refused}`);
}
