/** The analysis of AMD's assembly, on programs of a few lines that are counted by hand. */

import assert from "node:assert/strict";
import { mixOf, multiplyAddShare } from "../../bench/isa/amd/instructions.ts";
import { hotLoop, isStaged, loopsOf } from "../../bench/isa/amd/loops.ts";
import { exposedWaits } from "../../bench/isa/amd/waits.ts";

const none = {
  ...{ instructions: 0, vector: 0, multiplyAdds: 0, sharedReads: 0, sharedWrites: 0 },
  ...{ loads: 0, stores: 0, barriers: 0, branches: 0 },
};

/** Lines of an assembly, without the indentation of this file. */
const linesOf = (text: string) => text.trim().split("\n").map((line) => line.trim());

/** A number of multiply-adds, none of which depends on a load. */
const multiplyAdds = (count: number) => Array<string>(count).fill("v_fmac_f32_e32 v1, v2, v3");

Deno.test("each instruction is counted as what it is", () => {
  const cases: [line: string, mix: Partial<typeof none>][] = [
    ["v_fmac_f32_e32 v1, v2, v3   ; 56020702", { vector: 1, multiplyAdds: 1 }],
    ["v_fma_f32 v1, v2, v3, v4", { vector: 1, multiplyAdds: 1 }],
    ["v_fmaak_f32 v1, v2, v3, 0x3f800000", { vector: 1, multiplyAdds: 1 }],
    ["v_mac_f32_e32 v1, v2, v3", { vector: 1, multiplyAdds: 1 }],
    ["v_mad_f32 v1, v2, v3, v4", { vector: 1, multiplyAdds: 1 }],
    ["v_fma_mix_f32 v1, v2, v3, v4", { vector: 1, multiplyAdds: 1 }],
    // Two multiply-adds in one instruction: packed, and dual issue.
    ["v_pk_fma_f16 v1, v2, v3, v4", { vector: 2, multiplyAdds: 2 }],
    ["v_dual_fmac_f32 v1, v2, v3 :: v_dual_fmac_f32 v4, v5, v6", { vector: 2, multiplyAdds: 2 }],
    ["v_dual_fmac_f32 v1, v2, v3 :: v_dual_mov_b32 v4, 0", { vector: 2, multiplyAdds: 1 }],
    // Integer multiply-adds compute addresses.
    ["v_mad_u64_u32 v[1:2], s0, v3, v4, v[5:6]", { vector: 1 }],
    ["v_mad_u32_u24 v1, v2, v3, v4", { vector: 1 }],
    ["v_add_f32_e32 v1, v2, v3", { vector: 1 }],
    ["v_cndmask_b32_e32 v1, v2, v3, vcc", { vector: 1 }],
    ["v_readfirstlane_b32 s1, v2", { vector: 1 }],
    ["ds_read_b128 v[1:4], v5 offset:16", { sharedReads: 1 }],
    ["ds_load_b128 v[1:4], v5", { sharedReads: 1 }],
    ["ds_write_b128 v5, v[1:4]", { sharedWrites: 1 }],
    ["ds_store_b64 v5, v[1:2]", { sharedWrites: 1 }],
    ["buffer_load_dwordx4 v[1:4], v5, s[0:3], 0 offen", { loads: 1 }],
    ["global_load_b128 v[1:4], v5, s[0:1]", { loads: 1 }],
    ["scratch_load_b32 v1, off, s0", { loads: 1 }],
    ["image_sample v1, v[2:3], s[0:7], s[8:11]", { loads: 1 }],
    ["buffer_store_dword v1, v2, s[0:3], 0 offen", { stores: 1 }],
    ["s_barrier", { barriers: 1 }],
    // RDNA4 has two instructions for one barrier.
    ["s_barrier_signal -1", {}],
    ["s_barrier_wait 0xffff", { barriers: 1 }],
    ["s_cbranch_scc1 BB3", { branches: 1 }],
    ["s_branch BB3", { branches: 1 }],
    ["s_waitcnt vmcnt(0)", {}],
    ["s_buffer_load_dwordx4 s[0:3], s[4:7], 0x0", {}],
    ["s_add_u32 s1, s2, s3", {}],
  ];
  for (const [line, mix] of cases) {
    assert.deepEqual(mixOf([line]), { ...none, instructions: 1, ...mix }, line);
  }
});

Deno.test("labels, remarks and hints to the scheduler are no instructions", () => {
  const lines = linesOf(`
    BB3:
    s_delay_alu instid0(VALU_DEP_1) | instskip(NEXT) ; bf870091
    s_clause 0x3
    s_nop 0
    (then repeated 5 times)

    ; a remark
  `);
  assert.deepEqual(mixOf(lines), none);
});

Deno.test("the share of multiply-adds is that among the vector unit's operations", () => {
  const lines = linesOf(`
    v_add_u32_e32 v9, 16, v9
    v_fmac_f32_e32 v1, v2, v3
    v_fmac_f32_e32 v1, v2, v3
    v_dual_fmac_f32 v1, v2, v3 :: v_dual_mov_b32 v4, 0
    ds_read_b128 v[4:7], v9
    s_add_u32 s1, s2, s3
  `);
  assert.deepEqual(mixOf(lines), { ...none, instructions: 6, vector: 5, multiplyAdds: 3, sharedReads: 1 });
  assert.equal(multiplyAddShare(mixOf(lines)), 3 / 5);
  assert.equal(multiplyAddShare(none), 0);
});

const nested = linesOf(`
  BB0:
  v_mov_b32_e32 v1, 0
  s_cbranch_execz BB9
  BB1:
  s_add_u32 s1, s2, s3
  buffer_load_dword v3, v2, s[0:3], 0 offen
  BB2:
  v_fmac_f32_e32 v1, v2, v3
  v_fmac_f32_e32 v1, v2, v3
  s_cbranch_scc0 BB3
  v_mov_b32_e32 v4, 0
  BB3:
  s_cbranch_scc1 BB2
  ds_write_b32 v2, v3
  s_cbranch_scc1 BB1
  BB4:
  v_fmac_f32_e32 v1, v2, v3
  s_cbranch_scc0 BB4
  BB9:
  s_endpgm
`);

Deno.test("a loop reaches from a label to the last branch back to it, and leaves out the loops inside", () => {
  assert.deepEqual(loopsOf(nested), [
    [
      ...["BB2:", "v_fmac_f32_e32 v1, v2, v3", "v_fmac_f32_e32 v1, v2, v3", "s_cbranch_scc0 BB3"],
      ...["v_mov_b32_e32 v4, 0", "BB3:", "s_cbranch_scc1 BB2"],
    ],
    [
      ...["BB1:", "s_add_u32 s1, s2, s3", "buffer_load_dword v3, v2, s[0:3], 0 offen"],
      ...["ds_write_b32 v2, v3", "s_cbranch_scc1 BB1"],
    ],
    ["BB4:", "v_fmac_f32_e32 v1, v2, v3", "s_cbranch_scc0 BB4"],
  ]);
  const twice = linesOf("BB1:\ns_cbranch_scc0 BB1\nv_mov_b32_e32 v1, 0\ns_branch BB1\ns_endpgm");
  assert.deepEqual(loopsOf(twice), [twice.slice(0, 4)]);
});

Deno.test("the hot loop has most multiply-adds, or else is the longest", () => {
  assert.deepEqual(mixOf(hotLoop(nested)!), {
    ...none,
    ...{ instructions: 5, vector: 3, multiplyAdds: 2, branches: 2 },
  });
  const without = nested.filter((line) => !line.startsWith("v_fmac"));
  assert.equal(hotLoop(without)![0], "BB1:");
  assert.equal(hotLoop(linesOf("v_fmac_f32_e32 v1, v2, v3\ns_endpgm")), undefined);
  // A loop that clears workgroup memory is hot, unless there are more multiply-adds outside it than it has
  // instructions.
  const clearing = linesOf("BB1:\nds_write_b32 v2, v3\ns_cbranch_scc1 BB1");
  assert.deepEqual(hotLoop([...clearing, ...multiplyAdds(2)]), clearing);
  assert.equal(hotLoop([...clearing, ...multiplyAdds(3)]), undefined);
});

Deno.test("a staged loop writes and reads workgroup memory and multiplies", () => {
  const staged = { ...none, multiplyAdds: 1, sharedReads: 1, sharedWrites: 1 };
  assert(isStaged(staged));
  for (const lacks of ["multiplyAdds", "sharedReads", "sharedWrites"] as const) {
    assert(!isStaged({ ...staged, [lacks]: 0 }), lacks);
  }
});

const loop = { isLoop: true, countsStores: false } as const;
const load = "buffer_load_dwordx4 v[4:7], v5, s[0:3], 0 offen";

Deno.test("a wait is exposed unless 64 multiply-adds stand between it and its load", () => {
  const wait = (count: number) => [load, ...multiplyAdds(count), "s_waitcnt vmcnt(0)"];
  assert.equal(exposedWaits(wait(64), loop), 0);
  assert.equal(exposedWaits(wait(63), loop), 1);
  const pairs = Array<string>(32).fill("v_dual_fmac_f32 v1, v2, v3 :: v_dual_fmac_f32 v4, v5, v6");
  assert.equal(exposedWaits([load, ...pairs, "s_waitcnt vmcnt(0)"], loop), 0);
  assert.equal(exposedWaits([load, ...pairs.slice(1), "s_waitcnt vmcnt(0)"], loop), 1);
  // Instructions after the wait or before the load hide nothing.
  assert.equal(exposedWaits([load, "s_waitcnt vmcnt(0)", ...multiplyAdds(100)], loop), 1);
});

Deno.test("what is loaded at the end of a turn is waited for in the next", () => {
  const late = ["s_waitcnt vmcnt(0)", ...multiplyAdds(200), load];
  assert.equal(exposedWaits(late, loop), 1);
  assert.equal(exposedWaits(late, { ...loop, isLoop: false }), 0);
  assert.equal(exposedWaits(["s_waitcnt vmcnt(0)", load, ...multiplyAdds(200)], loop), 0);
});

Deno.test("a wait names how many loads may still be on their way", () => {
  // The first two loads are waited for one by one, both too early. The third wait comes 64 multiply-adds later.
  const three = [load, load, load];
  assert.equal(
    exposedWaits([
      ...three,
      ...["s_waitcnt vmcnt(2)", "s_waitcnt vmcnt(1)"],
      ...multiplyAdds(64),
      "s_waitcnt vmcnt(0) lgkmcnt(0)",
    ], loop),
    2,
  );
  // One wait for two loads counts once.
  assert.equal(exposedWaits([...three, "s_waitcnt vmcnt(1)", ...multiplyAdds(64)], loop), 1);
  // Nothing is left to wait for, or the wait is for something else.
  assert.equal(
    exposedWaits([load, ...multiplyAdds(64), "s_waitcnt vmcnt(0)", "s_waitcnt vmcnt(0)"], loop),
    0,
  );
  assert.equal(
    exposedWaits([load, "s_waitcnt vmcnt(3)", ...multiplyAdds(64), "s_waitcnt vmcnt(0)"], loop),
    0,
  );
  assert.equal(
    exposedWaits([load, "s_waitcnt lgkmcnt(0)", ...multiplyAdds(64), "s_waitcnt vmcnt(0)"], loop),
    0,
  );
});

Deno.test("RDNA4 has waits of its own, one of them for both kinds of memory", () => {
  const waited = (wait: string) =>
    exposedWaits([load, wait, ...multiplyAdds(64), "s_wait_loadcnt 0x0"], loop);
  assert.equal(waited("s_wait_loadcnt 0x0"), 1);
  assert.equal(waited("s_wait_loadcnt 0x1"), 0);
  assert.equal(waited("s_wait_dscnt 0x0"), 0);
  // No load and 3 accesses of workgroup memory may be in flight, then one load and none of those.
  assert.equal(waited("s_wait_loadcnt_dscnt 0x3"), 1);
  assert.equal(waited("s_wait_loadcnt_dscnt 0x100"), 0);
});

Deno.test("stores count where a wait for loads waits for them too", () => {
  const store = "buffer_store_dword v1, v2, s[0:3], 0 offen";
  const lines = [load, store, "s_waitcnt vmcnt(1)", ...multiplyAdds(64), "s_waitcnt vmcnt(0)"];
  assert.equal(exposedWaits(lines, { isLoop: false, countsStores: true }), 1);
  assert.equal(exposedWaits(lines, { isLoop: false, countsStores: false }), 0);
  // A wait for a store alone is not exposed.
  assert.equal(exposedWaits([store, "s_waitcnt vmcnt(0)"], { isLoop: false, countsStores: true }), 0);
});
