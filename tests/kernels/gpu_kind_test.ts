import assert from "node:assert/strict";
import { gpuKind } from "../../src/kernels/gpu_kind.ts";

const kindOf = (vendor: string, architecture: string, description: string) =>
  gpuKind({ vendor, architecture, description });

Deno.test("a GPU's kind is known by what browsers say of it", () => {
  assert.equal(kindOf("intel", "xe-hpg", ""), "intel");
  assert.equal(kindOf("intel", "gen-9", "Intel(R) UHD Graphics 620"), "intel");
  assert.equal(kindOf("amd", "gcn-5", ""), "gcn");
  assert.equal(kindOf("amd", "cdna-1", ""), "gcn");
  assert.equal(kindOf("amd", "rdna-3", ""), undefined);
  assert.equal(kindOf("nvidia", "hopper", ""), undefined);
  assert.equal(kindOf("apple", "common-3", ""), undefined);
  assert.equal(kindOf("google", "swiftshader", "SwiftShader Device"), undefined);
});

Deno.test("a GPU's kind is known by what Deno says of it", () => {
  assert.equal(kindOf("32902", "", "Intel(R) Arc(tm) A770 Graphics (DG2)"), "intel");
  assert.equal(kindOf("4098", "", "AMD Radeon RX Vega (RADV VEGA10)"), "gcn");
  assert.equal(kindOf("4098", "", "AMD Radeon Graphics (RADV RENOIR)"), "gcn");
  assert.equal(kindOf("4098", "", "AMD Instinct MI100 (RADV MI100)"), "gcn");
  assert.equal(kindOf("4098", "", "AMD Radeon RX 580 Series (RADV POLARIS10)"), "gcn");
  assert.equal(kindOf("4098", "", "AMD Radeon RX 6800 XT (RADV NAVI21)"), undefined);
  assert.equal(kindOf("4098", "", "AMD Radeon RX 7900 XTX (RADV NAVI31)"), undefined);
  assert.equal(kindOf("4318", "", "NVIDIA H200"), undefined);
  assert.equal(kindOf("65541", "", "llvmpipe (LLVM 15.0.6, 256 bits)"), undefined);
});
