/**
 * Reads NVIDIA's machine code without a disassembler. An instruction has 16 bytes, and its lowest 12 bits say what it
 * does. The numbers are those of Volta to Hopper (sm_70 to sm_90).
 */

import { hottest, loopsOf } from "../loops.ts";

/** How many instructions there are of each kind in the loop that takes the time, or else in the whole kernel. */
export interface SassMix {
  readonly isLoop: boolean;
  readonly instructions: number;
  readonly multiplyAdds: number;
  readonly sharedReads: number;
  readonly sharedWrites: number;
  readonly loads: number;
  readonly branches: number;
}

interface Instruction {
  readonly operation: number;
  /** Number of the instruction that a branch goes to. */
  readonly target: number | undefined;
}

const bytes = 16;
const nop = 0x918;
const branch = 0x947;

/** The instructions of the only kernel in a cubin, which is an ELF file. */
function instructionsOf(cubin: Uint8Array): Instruction[] {
  const view = new DataView(cubin.buffer, cubin.byteOffset, cubin.byteLength);
  const code = textSection(view);
  const architecture = view.getUint32(0x30, true) >> 8 & 0xff;
  // From sm_90 on, the target's lowest 8 bits are separate from the others.
  const isSplit = architecture >= 90;
  const found: Instruction[] = [];
  for (let i = 0; bytes * i < code.byteLength; i++) {
    const low = code.getBigUint64(bytes * i, true);
    const high = code.getBigUint64(bytes * i + 8, true);
    const operation = Number(low & 0xfffn);
    found.push({
      operation,
      target: operation === branch ? i + 1 + offsetOf(low, high, isSplit) : undefined,
    });
  }
  while (found.at(-1)?.operation === nop) found.pop();
  return found;
}

/** Instructions from the one after a branch to its target. */
function offsetOf(low: bigint, high: bigint, isSplit: boolean): number {
  const words = BigInt.asIntN(48, low >> 34n | (high & 0x3ffffn) << 30n);
  return Number((isSplit ? words << 8n | low >> 16n & 0xffn : words) * 4n / BigInt(bytes));
}

/** The section with the code: `.text.` and the kernel's name. */
function textSection(view: DataView): DataView {
  const table = Number(view.getBigUint64(0x28, true));
  const [size, count, names] = [0x3a, 0x3c, 0x3e].map((at) => view.getUint16(at, true)) as [
    number,
    number,
    number,
  ];
  const section = (i: number) => {
    const at = table + i * size;
    return {
      name: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 0x18, true)),
      length: Number(view.getBigUint64(at + 0x20, true)),
    };
  };
  const strings = section(names).offset;
  for (let i = 0; i < count; i++) {
    const { name, offset, length } = section(i);
    const text = new Uint8Array(view.buffer, view.byteOffset + strings + name, ".text.".length);
    if (new TextDecoder().decode(text) === ".text.") {
      return new DataView(view.buffer, view.byteOffset + offset, length);
    }
  }
  throw new RangeError("the cubin has no code");
}

/** Counts a cubin's instructions. */
export function sassMix(cubin: Uint8Array): SassMix {
  const all = instructionsOf(cubin);
  const branches = all.flatMap(({ target }, from) =>
    target !== undefined && target >= 0 && target < from ? [{ target, from }] : []
  );
  const loop = hottest(all, loopsOf(all, branches), count);
  return { isLoop: loop !== undefined, ...count(loop ?? all) };
}

function count(instructions: readonly Instruction[]): Omit<SassMix, "isLoop"> {
  const of = (is: (operation: number) => boolean) =>
    instructions.filter(({ operation }) => is(operation)).length;
  return {
    instructions: instructions.length,
    // Bits 9 to 11 say where the operands are.
    multiplyAdds: of((operation) => (operation & 0x1ff) === 0x023),
    sharedReads: of((operation) => operation === 0x984),
    sharedWrites: of((operation) => operation === 0x388),
    loads: of((operation) => operation === 0x981),
    branches: of((operation) => operation === branch),
  };
}
