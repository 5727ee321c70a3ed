/** Every kernel in Deno (naga) and in Chromium (Tint). Both compile every variant and compute the same. */

import assert from "node:assert/strict";
import * as kernels from "../../src/kernels/mod.ts";
import { entriesOf } from "../../scripts/kernel_document.ts";
import { type Launcher, launchers } from "../../scripts/launchers.ts";
import { entryPoint } from "../../scripts/wgsl.ts";
import { relativeError } from "../kernels/harness.ts";
import { kernelsForGpus, onOpenGL } from "../opengl.ts";
import { scriptPage } from "./bundle.ts";
import { browserTest } from "./chromium.ts";
import { describe, type KernelCase, kernelCases } from "./kernel_cases.ts";
import type { Outcome } from "./kernel_page.ts";

/**
 * Largest allowed difference relative to the largest value. Both compilers may fuse and reorder, and their
 * exponentials, logarithms and divisions may differ in the last places. The largest difference seen was 1.2e-7. WGSL
 * allows a sine or cosine to be off by 2^-11, and a normal value is one of them times a radius.
 */
function toleranceOf({ kernel, shape }: KernelCase): number {
  return kernels.entryPointOf(kernel, shape) === "normalValues" ? 2 ** -11 : 1e-6;
}

Deno.test("the cases are all kernels in all variants", async () => {
  for (const { kernel, name } of await launchers()) {
    const variants: readonly unknown[] = [kernel, ...Object.values(kernel.variants ?? {})];
    const cases = kernelCases.filter((one) => variants.includes(one.kernel));
    for (const entry of entriesOf(kernel)) {
      const inEntry = cases.filter(({ kernel, shape }) => kernels.entryPointOf(kernel, shape) === entry);
      assert(inEntry.length > 0, `no case of ${name}, entry point ${entry}`);
      const given = (flag: string, from: readonly KernelCase[]) =>
        [...new Set(from.map(({ kernel, shape }) => kernel.constants(shape)[flag]))].sort();
      for (const override of entryPoint(kernel.wgsl, entry).overrides) {
        if (override.type !== "bool") continue;
        const values = given(override.name, inEntry);
        // If a launcher does not set a flag, the flag has the shader's own value.
        if (values.length === 1 && values[0] === undefined) continue;
        assert.deepEqual(values, [0, 1], `${override.name} of ${name}`);
      }
      // One pipeline serves both values, and perhaps several launchers.
      const inPipeline = kernelCases.filter((one) =>
        one.kernel.wgsl === kernel.wgsl && kernels.entryPointOf(one.kernel, one.shape) === entry
      );
      for (const flag of uniformFlags(kernel)) {
        assert.deepEqual(given(flag, inPipeline), [0, 1], `${flag} of ${name}`);
      }
    }
  }
});

/** Uniforms that a shader compares with zero. */
function uniformFlags({ uniforms = {}, wgsl }: Launcher["kernel"]): string[] {
  return Object.keys(uniforms).filter((name) => new RegExp(`\\bshape\\.${name} [!=]= 0u`).test(wgsl));
}

const page = await scriptPage(new URL("kernel_page.ts", import.meta.url));

const every = onOpenGL ? "every kernel that OpenGL compiles soon" : "every kernel";
browserTest(`${every} computes the same in Chromium as in Deno`, page, async (page, origin) => {
  await page.goto(`${origin}/`);
  const wrong: string[] = [];
  for (const [index, one] of kernelCases.entries()) {
    if (onOpenGL && kernelsForGpus.includes(one.kernel.name)) continue;
    const there: Outcome = await page.evaluate(`runCase(${index})`);
    const here = await kernels.run(one.kernel, one.shape, one.operands);
    for (const [name, contents] of Object.entries(here)) {
      const error = difference(contents, there[name]!);
      if (!(error <= toleranceOf(one))) wrong.push(`${describe(one)}: ${name} differs by ${error}`);
    }
  }
  assert.deepEqual(wrong, []);
});

/** Largest difference relative to the largest value. Values that were left NaN must be NaN in both. */
function difference(here: Float32Array | Uint32Array, there: readonly number[]): number {
  const words = Uint32Array.from(there);
  if (here instanceof Uint32Array) return here.every((word, i) => word === words[i]) ? 0 : Infinity;
  const values = new Float32Array(words.buffer);
  if (here.some((value, i) => Number.isNaN(value) !== Number.isNaN(values[i]!))) return Infinity;
  const isNumber = (value: number) => !Number.isNaN(value);
  return relativeError(values.filter(isNumber), here.filter(isNumber));
}
