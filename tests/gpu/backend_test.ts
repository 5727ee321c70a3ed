import assert from "node:assert/strict";
import { adapterFamily } from "../../src/gpu/adapter_family.ts";
import { backendOf, describeAdapter, tellBackend } from "../../src/gpu/backend.ts";

/** What Deno 2.9 shows of an adapter: vendor, device and features. Features that tell nothing are left out. */
type Shown = readonly [vendor: number, device: number, features: readonly string[]];

const lavapipe: Shown = [0x10005, 0, ["shader-f16", "bgra8unorm-storage", "float32-blendable"]];
const onLinux: readonly (readonly [string, string, Shown])[] = [
  ["Mesa's lavapipe", "Vulkan", lavapipe],
  // Older versions have no 16-bit numbers.
  ["Mesa's older lavapipe", "Vulkan", [0x10005, 0, ["bgra8unorm-storage", "float32-blendable"]]],
  ["NVIDIA's driver", "Vulkan", [0x10de, 0x2330, ["shader-f16", "bgra8unorm-storage", "float32-blendable"]]],
  ["a GPU of which only the number is known", "Vulkan", [0x1002, 0x73bf, []]],
  ["Mesa's llvmpipe", "OpenGL", [0x10005, 0, ["dual-source-blending"]]],
  ["NVIDIA's driver for OpenGL", "OpenGL", [0x10de, 0, ["float32-filterable"]]],
  ["a driver for OpenGL of a vendor that wgpu does not know", "OpenGL", [0, 0, []]],
];

const facts = ([vendor, device, features]: Shown) => ({
  info: { vendor: String(vendor), device: String(device) },
  features: new Set(features),
});

Deno.test("backendOf() tells OpenGL from Vulkan by what Deno shows of an adapter", () => {
  for (const [what, backend, shown] of onLinux) {
    assert.equal(backendOf(facts(shown), "Linux x86_64"), backend, what);
  }
});

Deno.test("backendOf() knows Metal by the platform, and that Windows may have two", () => {
  const metal = facts([0, 0, ["bgra8unorm-storage", "float32-blendable"]]);
  assert.equal(backendOf(metal, "MacIntel"), "Metal");
  const windows = facts([0x10de, 0x2330, ["bgra8unorm-storage"]]);
  assert.equal(backendOf(windows, "Win32"), "Vulkan or D3D12");
  assert.equal(backendOf(facts([0x8086, 0, []]), "Win32"), "OpenGL");
});

Deno.test("backendOf() does not guess in a browser, where vendors have names", () => {
  for (const info of [{ vendor: "nvidia", device: "" }, { vendor: "", device: "" }, {}]) {
    assert.equal(backendOf({ info, features: new Set() }, "Linux x86_64"), undefined);
  }
});

Deno.test("describeAdapter() names the backend where it is known", () => {
  const info = {
    description: "llvmpipe (LLVM 15.0.6, 256 bits)",
    vendor: "65541",
    architecture: "",
    device: "0",
  } as GPUAdapterInfo;
  assert.equal(describeAdapter(info, "OpenGL"), "llvmpipe (LLVM 15.0.6, 256 bits), OpenGL");
  assert.equal(describeAdapter(info, undefined), "llvmpipe (LLVM 15.0.6, 256 bits)");
  const browser = { ...info, description: "", vendor: "google", architecture: "swiftshader", device: "" };
  assert.equal(describeAdapter(browser, undefined), "google swiftshader");
  assert.equal(
    describeAdapter({ ...browser, vendor: "", architecture: "" }, undefined),
    "unknown adapter",
  );
});

Deno.test("an adapter of Dawn is called by its device's name and a backend of Dawn, and by no driver's", () => {
  const info = {
    description: "llvmpipe: Mesa 25.0.7-2+deb13u1 (LLVM 19.1.7) 0.0.1",
    vendor: "mesa",
    architecture: "software",
    device: "llvmpipe-llvm-19-1-7-256-bits-",
  } as GPUAdapterInfo;
  const adapter = { info, features: new Set<string>() };
  tellBackend(adapter, "Dawn on Vulkan");
  const backend = backendOf(adapter, "Linux x86_64");
  const name = describeAdapter(info, backend);
  assert.equal(name, "llvmpipe-llvm-19-1-7-256-bits, Dawn on Vulkan");
  assert.equal(adapterFamily(name), "lavapipe");
  assert.equal(
    describeAdapter({ ...info, device: "" }, backend),
    `${info.description}, Dawn on Vulkan`,
  );
});

/** The adapter's name in a process that may use only one backend. Undefined if there is no adapter. */
async function nameWith(backend: string): Promise<string | undefined> {
  const module = new URL("../../src/gpu/gpu.ts", import.meta.url);
  const program = `import { Gpu } from "${module}"; console.log((await Gpu.request()).adapterName)`;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", program],
    env: { DENO_WEBGPU_BACKEND: backend, NO_COLOR: "1" },
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

for (const [backend, ending] of [["gl", /, OpenGL$/], ["vulkan", /, Vulkan( or D3D12)?$/]] as const) {
  const name = await nameWith(backend);
  Deno.test({
    name: `the adapter that Deno finds when only ${backend} may be used is named so`,
    ignore: name === undefined,
    fn: () => assert.match(name!, ending),
  });
}
