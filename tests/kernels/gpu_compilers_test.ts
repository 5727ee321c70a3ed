/**
 * What Mesa's RADV, the driver of AMD's GPUs on Linux, compiles from an iteration's kernels, without a GPU (see
 * `bench/programs/isa.ts`). The tests are skipped if its packages are missing. CI's Mesa 22.3 has an older compiler. It
 * allocates registers differently, spills on RDNA3 where Mesa 25 does not, and pairs no instructions there. Only limits
 * that hold for it are tested there.
 */

import assert from "node:assert/strict";
import { multiplyAddShare } from "../../bench/isa/amd/instructions.ts";
import { isStaged } from "../../bench/isa/amd/loops.ts";
import { amdGpus, type AmdKernel, type AmdResult, compileForAmd } from "../../bench/isa/amd/radv.ts";
import { capture } from "../../bench/isa/capture/capture.ts";
import { percent } from "../../bench/isa/compiler.ts";
import { buildTools, missingPackages } from "../../bench/isa/tools.ts";
import { withFiles } from "../temporary.ts";

/** The first version of Mesa for which all limits hold. */
const leastMesa = 25;

/** Bytes of workgroup memory that every WebGPU device has. */
const workgroupMemory = 16384;

/**
 * The kernels that stage tiles in workgroup memory: `staged.wgsl`, `patch_staged.wgsl` and
 * `gradient_weight_staged.wgsl`.
 */
const staged =
  /^(?:conv2d_(?:forward|gradient_input|gradient_weight)(?:_patch)?|winograd_(?:weight_)?product) /;

/** Limits of the loops of {@link staged} kernels. The first row that matches a kernel's name applies. */
const limits: readonly {
  readonly kernels: RegExp;
  /** Least percentage of multiply-adds among the operations of the vector unit. */
  readonly share: number;
  /** Least percentage of the invocations that a SIMD can hold. */
  readonly occupancy?: Readonly<Record<string, number>>;
  /** Most exposed waits, by default none. */
  readonly waits?: number;
}[] = [
  // The stem has only four input channels, so it has one pass and no loop. It waits once for each of its ten loads
  // before the first sum.
  { kernels: /^conv2d_forward_patch 4 → 16/, share: 88, waits: 10 },
  { kernels: /^conv2d_gradient_input_patch 16 → 4/, share: 92, occupancy: { navi31: 19, navi21: 19 } },
  { kernels: /^conv2d_\w+_patch /, share: 97, occupancy: { navi31: 25, navi21: 19 } },
  // If one side has at most 16 channels, a tap is one step, with fewer sums for its loads.
  { kernels: /^conv2d_gradient_input 160 → 16, 1/, share: 84, occupancy: { navi31: 38, navi21: 25 } },
  { kernels: /^conv2d_gradient_weight 4 → 16/, share: 84 },
  // With a stride, finding the source pixel of a tap takes more arithmetic.
  { kernels: /^conv2d_gradient_input .*stride/, share: 88 },
  { kernels: /^winograd_product/, share: 94, occupancy: { navi31: 31, navi21: 25 } },
  { kernels: /^winograd_/, share: 90, occupancy: { navi31: 25, navi21: 19 } },
  { kernels: /^conv2d_gradient_weight/, share: 88 },
  { kernels: staged, share: 92 },
];

/** Compares percentages as the bench prints them. */
function shortfalls(gpu: string, kernel: AmdKernel): string[] {
  const { share, occupancy, waits = 0 } = limits.find(({ kernels }) => kernels.test(kernel.kernel))!;
  const least = occupancy?.[gpu] ?? 0;
  const found = [
    [isStaged(kernel), "its hot loop stages nothing in workgroup memory"],
    [
      kernel.exposedWaits <= waits,
      `${kernel.exposedWaits} exposed waits, where ${waits} at most should be`,
    ],
    [
      percent(multiplyAddShare(kernel)) >= share,
      `${percent(multiplyAddShare(kernel))} % multiply-adds, where ${share} % should be`,
    ],
    [
      percent(kernel.occupancy) >= least,
      `occupancy of ${percent(kernel.occupancy)} %, where ${least} % should be`,
    ],
  ] as const;
  return found.filter(([isKept]) => !isKept).map(([, message]) => `${kernel.kernel}: ${message}`);
}

/** Why the limits of Mesa 25 do not apply to a result. The text is added to the name of the test that is left out. */
function reasonToLeaveOut({ driver }: AmdResult): string | undefined {
  const [, version] = /Mesa (\d+)/.exec(driver)!;
  return Number(version) < leastMesa
    ? ` (left out: this is ${driver}, and the limits are for Mesa ${leastMesa})`
    : undefined;
}

const title = (gpu: string) => `${gpu} (${amdGpus[gpu]!.architecture})`;

/** Checks the kernels compiled for a GPU. The loops are left out if there is a reason in `leftOut`. */
async function hold(
  t: Deno.TestContext,
  gpu: string,
  result: AmdResult | undefined,
  leftOut: string | undefined,
): Promise<void> {
  assert(result, `RADV does not know ${gpu}`);
  const products = result.kernels.filter(({ kernel }) => staged.test(kernel));
  // An iteration has 114 pipelines, including these large ones.
  assert(result.kernels.length > 100 && products.length > 30);
  await t.step("no kernel spills registers or has an array in memory", () => {
    const spilling = result.kernels.filter(({ spilled, scratch }) => spilled > 0 || scratch > 0);
    assert.deepEqual(spilling.map(({ kernel }) => kernel), []);
  });
  await t.step("no kernel has more workgroup memory than WebGPU guarantees", () => {
    const large = result.kernels.filter(({ shared }) => shared > workgroupMemory);
    assert.deepEqual(large.map(({ kernel }) => kernel), []);
    assert(products.every(({ shared }) => shared > 0));
  });
  await t.step({
    name: `the loops of products wait for no load, and mostly multiply and add${leftOut ?? ""}`,
    ignore: leftOut !== undefined,
    fn() {
      assert.deepEqual([...new Set(products.flatMap((kernel) => shortfalls(gpu, kernel)))], []);
    },
  });
}

const missing = await missingPackages();

Deno.test({
  name: missing.length === 0
    ? "AMD's compiler keeps the kernels in registers and their loops full of multiply-adds"
    : `AMD's compiler and the kernels (left out: apt-get install ${missing.join(" ")})`,
  ignore: missing.length > 0,
  async fn(t) {
    await withFiles({}, async (folder) => {
      const tools = await buildTools(`${folder}/tools`);
      const captured = await capture(tools, `${folder}/dump`, "short-iteration");
      const compile = (gpu: string) =>
        compileForAmd(tools, captured, `${folder}/dump`, `${folder}/${gpu}`, amdGpus[gpu]!);
      let leftOut: string | undefined;
      await t.step(title("navi21"), async (t) => {
        const result = await compile("navi21");
        leftOut = result && reasonToLeaveOut(result);
        await hold(t, "navi21", result, leftOut);
      });
      await t.step({
        name: `${title("navi31")}${leftOut ?? ""}`,
        ignore: leftOut !== undefined,
        fn: async (t) => await hold(t, "navi31", await compile("navi31"), undefined),
      });
    });
  },
});
