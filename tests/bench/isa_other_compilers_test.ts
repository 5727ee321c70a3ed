/** The analysis of what the compilers of NVIDIA's and Intel's GPUs return, on input written and counted by hand. */

import assert from "node:assert/strict";
import { intelMix } from "../../bench/isa/intel/assembly.ts";
import { toCuda } from "../../bench/isa/nvidia/cuda.ts";
import { nvidiaGpus, occupancy } from "../../bench/isa/nvidia/ptxas.ts";
import { sassMix } from "../../bench/isa/nvidia/sass.ts";

Deno.test("Intel's loop with most multiply-adds is counted, without the loops inside it", () => {
  const lines = `
mov(8)          g1<1>F          0x0F                            { align1 1Q };
LABEL2:
send(8)         g2UD            g3UD            nullUD          0x62403500
                            ugm MsgDesc: ( load, a32, d32, V4 )
sync nop(1)                     null<0,1,0>UB                   { align1 WE_all 1N $5.dst };
LABEL1:
mad(8)          g4<1>F          g4<8,8,1>F      g2<8,8,1>F      g2<1,1,1>F { align1 1Q };
(+f0.0) mad.sat(8) g5<1>F       g4<8,8,1>F      g2<8,8,1>F      g2<1,1,1>F { align1 1Q };
mov(8)          g6<1>F          g4<8,8,1>F                      { align1 1Q };
(+f0.0) break(8) JIP:  LABEL0         UIP:  LABEL0              { align1 1Q };
LABEL0:
while(8)        JIP:  LABEL1                                    { align1 1Q };
mad(8)          g4<1>F          g4<8,8,1>F      g2<8,8,1>F      g2<1,1,1>F { align1 1Q };
while(8)        JIP:  LABEL2                                    { align1 1Q };
`.trim().split("\n");
  // The inner loop: mad, mad, mov, break, while. The outer one has a send, a mad and a while of its own.
  const inner = { isLoop: true, instructions: 5, multiplyAdds: 2, sends: 0, moves: 1, branches: 2 };
  assert.deepEqual(intelMix(lines), inner);
  const outer = lines.map((line) => line.replace(/mad\.sat/, "add")).map((line, i) =>
    i < 9 ? line.replace(/^mad/, "add") : line
  );
  assert.deepEqual(
    intelMix(outer),
    { isLoop: true, instructions: 3, multiplyAdds: 1, sends: 1, moves: 0, branches: 1 },
  );
  assert.deepEqual(
    intelMix(lines.slice(0, 1)),
    { isLoop: false, instructions: 1, multiplyAdds: 0, sends: 0, moves: 1, branches: 0 },
  );
});

/** NVIDIA's opcodes. */
const [fma, fmaOfConstant, load, sharedRead, branch, nop] = [0x223, 0x823, 0x981, 0x984, 0x947, 0x918];

/** A cubin with this code, as a minimal ELF file with a section called .text. */
function cubin(architecture: number, code: readonly bigint[]): Uint8Array {
  const names = "\0.text.kernel_main\0.names\0";
  const [codeAt, sectionsAt] = [64 + 64, 64 + 64 + 8 * code.length];
  const file = new Uint8Array(sectionsAt + 3 * 64);
  const view = new DataView(file.buffer);
  view.setBigUint64(0x28, BigInt(sectionsAt), true);
  view.setUint32(0x30, architecture << 8, true);
  for (const [at, value] of [[0x3a, 64], [0x3c, 3], [0x3e, 2]] as const) view.setUint16(at, value, true);
  file.set(new TextEncoder().encode(names), 64);
  code.forEach((word, i) => view.setBigUint64(codeAt + 8 * i, word, true));
  const section = (i: number, name: string, offset: number, length: number) => {
    view.setUint32(sectionsAt + 64 * i, names.indexOf(name), true);
    view.setBigUint64(sectionsAt + 64 * i + 0x18, BigInt(offset), true);
    view.setBigUint64(sectionsAt + 64 * i + 0x20, BigInt(length), true);
  };
  section(1, ".text.", codeAt, 8 * code.length);
  section(2, ".names", 64, names.length);
  return file;
}

/** The two words of an instruction. */
const plain = (operation: number) => [BigInt(operation), 0n];

/** A branch over a number of instructions, counted from the next one. Its offset is in words of four bytes. */
function jump(instructions: number, isSplit: boolean): bigint[] {
  const words = BigInt.asUintN(isSplit ? 56 : 48, BigInt(4 * instructions));
  const [high, lowest] = isSplit ? [words >> 8n, words & 0xffn] : [words, 0n];
  return [BigInt(branch) | lowest << 16n | BigInt.asUintN(30, high) << 34n, high >> 30n & 0x3ffffn];
}

Deno.test("NVIDIA's loop with most multiply-adds is counted", () => {
  for (const [architecture, isSplit] of [[86, false], [90, true]] as const) {
    const code = [
      ...plain(load),
      // The loop runs from here to the branch that goes back five instructions.
      ...[fma, fmaOfConstant, sharedRead, fma].flatMap(plain),
      ...jump(-5, isSplit),
      // A forward jump is not a loop, and the nops at the end are not instructions.
      ...[...jump(1, isSplit), ...plain(fma), ...plain(nop), ...plain(nop)],
    ];
    assert.deepEqual(
      sassMix(cubin(architecture, code)),
      {
        ...{ isLoop: true, instructions: 5, multiplyAdds: 3 },
        ...{ sharedReads: 1, sharedWrites: 0, loads: 0, branches: 1 },
      },
      `${architecture}`,
    );
  }
  assert.deepEqual(
    sassMix(cubin(90, [...plain(load), ...plain(fma), ...plain(nop)])),
    {
      ...{ isLoop: false, instructions: 2, multiplyAdds: 1 },
      ...{ sharedReads: 0, sharedWrites: 0, loads: 1, branches: 0 },
    },
  );
  assert.throws(() => sassMix(cubin(90, []).fill(0, 64, 128)), /no code/);
});

Deno.test("NVIDIA's occupancy is what registers, workgroup memory and warps leave", () => {
  const hopper = nvidiaGpus["sm_90"]!;
  // 160 invocations are 5 warps. A warp has 32 × 175 = 5600 registers, which take 5632. 11 warps fit, so 2 workgroups:
  // 10 of 64 warps.
  assert.equal(occupancy(hopper, 160, 175, 16352), 10 / 64);
  // 228 KiB hold 4 workgroups, each with 48 KiB, 1 KiB of CUDA's own and 2 warps.
  assert.equal(occupancy(hopper, 64, 16, 48 * 1024), 8 / 64);
  assert.equal(occupancy(hopper, 64, 32, 0), 1);
  // 32 workgroups of one warp.
  assert.equal(occupancy(hopper, 32, 16, 0), 1 / 2);
});

Deno.test("GLSL becomes CUDA: bindings, workgroup memory, functions, arrays and swizzles", () => {
  const { text, threads } = toCuda(`#version 450
layout(local_size_x = 8, local_size_y = 4, local_size_z = 1) in;

layout(set = 0, binding = 0, std430) readonly buffer _17_16
{
    vec4 _m0[];
} _16;

layout(set = 0, binding = 2, std140) uniform _23_22
{
    uint _m0;
} _22;

shared vec4 _25[64];

vec4[2] pair(inout vec4 a, float b[2])
{
    vec4 _1[2] = vec4[](a, a);
    return _1;
}

void main()
{
    _25[0] = pair(_16._m0[0], float[](1.0, 2.0))[0];
    vec2 _2 = _25[0].zw;
}
`);
  assert.equal(threads, 32);
  for (
    const line of [
      "#define LOCAL_X 8\n#define LOCAL_Y 4\n",
      "__constant__ struct { Span<vec4> _m0; } _16;",
      "__constant__ struct {\n    uint _m0;\n} _22;",
      "__shared__ vec4 _25[64];",
      "__device__ __forceinline__ Array<vec4, 2> pair(vec4 &a, Array<float, 2> b)\n{",
      "Array<vec4, 2> _1 = makeArray(a, a);",
      'extern "C" __global__ void __launch_bounds__(32) kernel_main()\n{',
      "pair(_16._m0[0], makeArray(1.0, 2.0))[0];",
      "vec2 _2 = vec2(_25[0].z, _25[0].w);",
    ]
  ) assert(text.includes(line), `${line} is not in ${text}`);
  assert.throws(() => toCuda("void main() {}"), /no workgroup size/);
});
