/**
 * Intel's driver opens only on a GPU's kernel driver. Mesa has a substitute for that, drm-shim, which Debian does not
 * ship. It is built here with gcc alone, from the source package of the installed Mesa.
 */

import { fileURLToPath } from "node:url";
import { build, outputOf, ToolError } from "../tools.ts";

const stubs = fileURLToPath(new URL("../c/drm_shim_stubs.c", import.meta.url));
const replaySource = fileURLToPath(new URL("../c/replay.c", import.meta.url));

/** The parts of Mesa's sources that the substitute includes. */
const folders = [
  ...["include", "src/c11", "src/util", "src/drm-shim", "src/compiler", "src/gallium/include"],
  ...["tools", "dev", "common", "compiler", "isl"].map((name) => `src/intel/${name}`),
];

const builtins = [
  ...["BSWAP32", "BSWAP64", "CLZ", "CLZLL", "CTZ", "EXPECT", "FFS", "FFSLL", "POPCOUNT", "POPCOUNTLL"],
  "UNREACHABLE",
];
const attributes = ["CONST", "FORMAT", "MALLOC", "PACKED", "PURE", "UNUSED", "VISIBILITY"];

/** What Mesa's own build finds out about the system. */
const definitions = [
  ...["_GNU_SOURCE", "NDEBUG", "HAVE_LIBDRM", "HAVE_MEMFD_CREATE", "HAVE_PTHREAD", "HAVE_SECURE_GETENV"],
  ...["HAVE_STRUCT_TIMESPEC", "HAVE_TIMESPEC_GET", "USE_GCC_ATOMIC_BUILTINS", "MESA_DEBUG=0"],
  ...["UTIL_ARCH_LITTLE_ENDIAN=1", "UTIL_ARCH_BIG_ENDIAN=0", 'VERSION="shim"', 'PACKAGE_VERSION="shim"'],
  ...builtins.map((name) => `HAVE___BUILTIN_${name}`),
  ...attributes.map((name) => `HAVE_FUNC_ATTRIBUTE_${name}`),
];

const utilities = [
  ...["anon_file", "blake3/blake3", "half_float", "hash_table", "log", "memstream"],
  ...["mesa-sha1", "os_misc", "os_time", "ralloc", "rb_tree", "set", "sha1/sha1", "simple_mtx"],
  ...["string_buffer", "strtod", "u_call_once", "u_debug", "u_math", "u_printf", "vma"],
].map((name) => `src/util/${name}.c`);

const intel = [
  ...["tools/intel_noop_drm_shim", "common/intel_gem", "common/i915/intel_gem", "common/xe/intel_gem"],
  ...["device_info", "hwconfig", "kmd"].map((name) => `dev/intel_${name}`),
  ...["i915", "xe"].map((driver) => `dev/${driver}/intel_device_info`),
].map((name) => `src/intel/${name}.c`);

const generated = "generated/intel/dev";

/** Debian's packages for {@link buildIntelReplay} that are missing. */
async function missing(): Promise<string[]> {
  const drm = await outputOf("gcc", ["-E", "-include", "libdrm/drm.h", "-xc", "/dev/null"]);
  const mako = await outputOf("python3", ["-c", "import mako"]);
  return [...drm?.success ? [] : ["libdrm-dev"], ...mako?.success ? [] : ["python3-mako"]];
}

/** Version of the source package that the installed drivers come from. */
async function mesaVersion(): Promise<string> {
  const format = ["-W", "-f", "${source:Version}", "mesa-vulkan-drivers"];
  const result = await outputOf("dpkg-query", format);
  if (!result?.success) {
    throw new ToolError("Mesa's Vulkan drivers are not installed as a package of Debian's");
  }
  return result.output;
}

/**
 * Builds `replay_intel`, which is `replay` with the substitute.
 * @param folder gets the result; the sources, a download of 20 MB, stay there in `mesa-VERSION`
 * @throws {ToolError} if packages are missing or apt has no sources; it says what to do.
 */
export async function buildIntelReplay(folder: string): Promise<string> {
  const packages = await missing();
  if (packages.length > 0) {
    throw new ToolError(`Debian's packages are missing: apt-get install ${packages.join(" ")}`);
  }
  const version = await mesaVersion();
  const sources = `${folder}/mesa-${version}`;
  await fetchSources(version, sources);
  await generate(sources);
  const include = [
    ...["include", "src", "generated", "generated/intel", "generated/intel/dev", "src/intel"],
    ...["src/intel/common", "src/intel/dev", "src/gallium/include", "src/util"],
  ];
  const shim = `${folder}/libintel_noop_drm_shim.so`;
  await build(
    "Mesa's drm-shim",
    ...["-O1", "-w", "-fPIC", "-std=gnu11", "-shared", "-fvisibility=hidden", "-ffunction-sections"],
    ...["-Wl,--gc-sections", "-Wl,--no-undefined", ...definitions.map((name) => `-D${name}`)],
    ...["-I/usr/include/libdrm", ...include.map((path) => `-I${sources}/${path}`), "-o", shim],
    ...["src/drm-shim/drm_shim.c", "src/drm-shim/device.c", ...utilities, ...intel].map((path) =>
      `${sources}/${path}`
    ),
    ...["src/c11/impl/threads_posix.c", "src/c11/impl/time.c", `${generated}/intel_wa.c`].map((path) =>
      `${sources}/${path}`
    ),
    ...[stubs, "-ldrm", "-ldl", "-lm", "-lpthread"],
  );
  const replay = `${folder}/replay_intel`;
  // Linked before the C library, the substitute answers what the driver asks the system.
  await build(
    "replay.c",
    ...["-O1", "-o", replay, replaySource, "-Wl,--no-as-needed", shim, "-Wl,--as-needed", "-lvulkan"],
    `-Wl,-rpath,${folder}`,
  );
  return replay;
}

/** Unpacks the needed parts of Mesa's sources, unless an earlier run has. */
async function fetchSources(version: string, sources: string): Promise<void> {
  await Deno.mkdir(sources, { recursive: true });
  const upstream = version.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
  const archive = `${sources}/mesa_${upstream}.orig.tar.xz`;
  for await (const { name } of Deno.readDir(sources)) if (name === "src") return;
  const failure = (errors: string) =>
    `apt-get source mesa=${version} fails: add deb-src to apt's sources and run apt-get update (${errors.trim()})`;
  await run("apt-get", ["source", "-qq", "--download-only", `mesa=${version}`], failure, sources);
  // Documentation is links to folders that are left out.
  await run("tar", [
    ...["-xf", archive, "-C", sources, "--strip-components=1", "--exclude=*.rst"],
    ...folders.map((folder) => `mesa-${upstream}/${folder}`),
  ], (errors) => `cannot unpack ${archive}: ${errors}`);
}

/** Writes the sources that Mesa's build generates by scripts. */
async function generate(sources: string): Promise<void> {
  const dev = `${sources}/src/intel/dev`;
  const out = `${sources}/${generated}`;
  await Deno.mkdir(out, { recursive: true });
  const failure = (errors: string) => `cannot write Mesa's tables of Intel's GPUs: ${errors}`;
  const tables = [`${dev}/mesa_defs.json`, `${out}/intel_wa.h`, `${out}/intel_wa.c`];
  await run("python3", [`${dev}/gen_wa_helpers.py`, ...tables], failure);
  await run("python3", [`${dev}/intel_device_info_gen_h.py`, `${out}/intel_device_info_gen.h`], failure);
}

async function run(
  program: string,
  args: readonly string[],
  failure: (errors: string) => string,
  cwd: string = ".",
): Promise<void> {
  const result = await outputOf(program, args, { cwd });
  if (!result?.success) throw new ToolError(failure(result?.errors ?? `${program} is not installed`));
}
