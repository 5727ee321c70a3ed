/** Writes `docs/kernels.md` from the launchers and the shaders. */

import { type Kernel, uniformBinding } from "../src/kernels/kernel.ts";
import { formatted } from "./formatted.ts";
import { kernelShapes, type ShapeField } from "./kernel_shapes.ts";
import { families, type Launcher, launchers } from "./launchers.ts";
import { markdownTable } from "./markdown.ts";
import { type EntryPoint, entryPoint, entryPointsOf, headerOf, type Resource } from "./wgsl.ts";

/** Path of the document. */
export const documentPath = new URL("../docs/kernels.md", import.meta.url);

/** Headings of the families. */
const titles: Readonly<Record<typeof families[number], string>> = {
  conv2d: "Convolution",
  winograd: "Winograd's algorithm",
  norm: "Normalisation",
  vector: "Element by element",
  reduce: "Sums",
  matmul: "Products of matrices",
  pool: "Pooling",
  loss: "Losses and scores",
  random: "Random numbers",
  chains: "Langevin dynamics and the replay buffer",
  optimiser: "Optimisers and SAM",
  attack: "Attacks",
  images: "Images",
};

const introduction = `
# Kernels

Each kernel is a WGSL file in \`shaders/\` and a launcher in \`src/kernels/\`, in the folder of its family: given a shape, the
launcher returns the shader's constants, the bindings' sizes and the workgroup counts. This page is made from both by
\`./run docs\`.

[embedding.md](embedding.md#a-kernel-in-ten-lines) runs one on values of the host, and in a program's own device and pass.
Without \`compile\`, a kernel's \`wgsl\`, \`constants(shape)\`, \`bindings[i].bytes(shape)\` and \`workgroups(shape)\` are what
a pipeline, a bind group and a dispatch take, with \`constantsOf\` where there is a uniform buffer.

\`run(kernel, shape, operands)\` takes the values of every operand by its name. A number instead, such as \`sum: 4\`, stands for
an operand of that many values that the kernel only writes. These, and what a binding has beyond the given values, start as
NaN, so that a value which the kernel did not write shows.

Some kernels have \`variants\` that suit a kind of adapter better: \`intel\` and \`gcn\` (AMD's GPUs with waves of 64) take other
tiles, and \`software\` (lavapipe, SwiftShader) mostly reads through textures. \`suited(kernel, gpuKind(adapter.info))\` is the
kernel to use on a GPU, and \`suited(kernel, "software")\` the one for a CPU.

Shape lists the fields of the object that the launcher takes. They are numbers unless their type is given, and those with
a question mark may be left out. What a field means is said once in a family; other kernels link to the one that says it.

Images are \`[N, H, W, C]\`, convolution weights \`[kh, kw, in, out]\`, matrices row by row. All values have 32 bits, but
\`inHalf(kernel, ["input", "output"])\` is the kernel with these operands in float16, if their types below say that it can be:
half the bytes, on a device with the feature \`shader-f16\`; what it computes is float32 all the same.
Kernels that a program uses for several shapes take what differs between these from a uniform buffer instead of constants, so
that one pipeline serves them all; \`constantsOf(kernel, shape)\` gives the values of both.

Bindings are rounded up to whole \`vec4\`s (16 bytes), as \`bytes\` does. Constants are given with the values that the shader
has for them; the launcher replaces them by those of the shape.

All kernels keep to WebGPU's default limits. A shape may exceed two of them, \`maxStorageBufferBindingSize\` (128 MiB) and
\`maxComputeWorkgroupsPerDimension\`: \`compile\` and \`run\` then throw.
`.trim();

/** The whole document, formatted as all files are. */
export async function kernelDocument(): Promise<string> {
  return await formatted(await compose());
}

async function compose(): Promise<string> {
  const all = await launchers();
  const parts = families.map((family) => ({
    heading: `${titles[family]} (\`${family}/\`)`,
    inside: all.filter(({ file }) => file.startsWith(`${family}/`)),
  }));
  const contents = parts.map(({ heading, inside }) =>
    `- ${heading}: ${inside.map(({ name }) => `[\`${name}\`](#${name.toLowerCase()})`).join(", ")}`
  );
  const shapes = kernelShapes();
  const chapters = parts.map(({ heading, inside }) => {
    const explained = new Map<string, string>();
    const sections = inside.map((launcher) =>
      section(launcher, shapeList(launcher.name, shapes.get(launcher.name)!, explained))
    );
    return `## ${heading}\n\n${sections.join("\n\n")}`;
  });
  return `${introduction}\n\n${contents.join("\n")}\n\n${chapters.join("\n\n")}\n`;
}

function section(
  { name, file, shader, kernel, description, demands, cost, example }: Launcher,
  shape: string,
): string {
  const entries = entriesOf(kernel);
  const used = entries.map((entry) => entryPoint(kernel.wgsl, entry));
  return [
    `### ${name}`,
    description,
    `\`src/kernels/${file}.ts\`; \`shaders/${shader}\`, entry point ${
      entries.map((entry) => `\`${entry}\``).join(" or ")
    }`,
    `\`\`\`text\n${headerOf(kernel.wgsl)}\n\`\`\``,
    bindingTable(kernel, used),
    `- Shape: ${shape}`,
    `- Constants: ${constantList(used)}${uniformList(kernel)}`,
    `- Limits: ${limits(used)}${demands === undefined ? "" : `. Throws a \`RangeError\` ${demands}`}`,
    `- Cost: ${cost}`,
    `\`\`\`ts\n${example}\n\`\`\``,
  ].join("\n\n").replaceAll(/\n\n(- (?:Constants|Limits|Cost))/g, "\n$1");
}

/**
 * Names of a shape's fields, and what the fields mean that no kernel before it in the family has.
 * @param explained the kernel that explains a field, by the field's name and comment; this one's are added
 */
function shapeList(kernel: string, fields: readonly ShapeField[], explained: Map<string, string>): string {
  if (fields.length === 0) return "`{}`";
  const names = fields.map(({ name, optional, type }) =>
    `\`${name}${optional ? "?" : ""}${type === "number" ? "" : `: ${type}`}\``
  );
  const elsewhere = new Set<string>();
  const here: string[] = [];
  for (const { name, comment } of fields.filter(({ comment }) => comment !== "")) {
    const text = `\`${name}\`: ${comment}`;
    const before = explained.get(text);
    if (before === undefined) {
      here.push(text);
      explained.set(text, kernel);
    } else elsewhere.add(before);
  }
  const references = [...elsewhere].map((name) => `[\`${name}\`](#${name.toLowerCase()})`);
  return [
    names.join(", ") + (references.length === 0 ? "" : `; see ${references.join(" and ")}`),
    ...here,
  ].join("\n  - ");
}

/** The entry points that a kernel may use: all that read textures if it does, or all that read buffers. */
export function entriesOf({ entryPoint: entry = "main", wgsl, bindings }: Kernel<never>): string[] {
  if (typeof entry === "string") return [entry];
  const readsTextures = bindings.some(({ access }) => access === "texture");
  return entryPointsOf(wgsl).filter((name) =>
    entryPoint(wgsl, name).resources.some(({ access }) => access === "texture") === readsTextures
  );
}

function bindingTable({ bindings }: Kernel<never>, used: readonly EntryPoint[]): string {
  const rows = bindings.map(({ name, access, alias }, binding) => {
    const types = new Set(used.map(({ resources }) => `\`${resourceAt(resources, binding).type}\``));
    const type = [...types].join(" or ") + (alias === undefined ? "" : ", or float16");
    return [String(binding), `\`${name}\``, access, type];
  });
  return markdownTable(["binding", "operand", "access", "type"], rows);
}

function resourceAt(resources: readonly Resource[], binding: number): Resource {
  const found = resources.find((resource) => resource.binding === binding);
  if (!found) throw new Error(`the shader has no binding ${binding}`);
  return found;
}

function constantList(used: readonly EntryPoint[]): string {
  const texts = used.flatMap(({ overrides }) =>
    overrides.map(({ name, type, initial }) => `\`${name}: ${type} = ${initial}\``)
  );
  return texts.length === 0 ? "none" : [...new Set(texts)].join(", ");
}

function uniformList({ uniforms }: Kernel<never>): string {
  if (!uniforms) return "";
  return `; in the uniform buffer at binding ${uniformBinding}: ${
    Object.entries(uniforms).map(([name, type]) => `\`${name}: ${type}\``).join(", ")
  }`;
}

function limits(used: readonly EntryPoint[]): string {
  const largest = (of: (entry: EntryPoint) => number) => Math.max(...used.map(of));
  const buffers = largest(({ resources }) =>
    resources.filter(({ access }) => access.startsWith("read")).length
  );
  return `${buffers} of 8 storage buffers, ` +
    `${largest(({ invocations }) => invocations)} of 256 invocations a workgroup, ` +
    `${largest(({ workgroupBytes }) => workgroupBytes)} of 16,384 bytes of workgroup memory`;
}
