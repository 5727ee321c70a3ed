/** What an operation does. `bytes` is the size of the number that follows its code. */
export type Operation =
  | { readonly kind: "skip"; readonly bytes: number }
  | { readonly kind: "constant"; readonly value: null | boolean }
  | { readonly kind: "integer"; readonly bytes: number; readonly signed: boolean }
  | { readonly kind: "long" | "text" | "bytes"; readonly bytes: number }
  /** Without `bytes` the number is a line of digits. */
  | { readonly kind: "put" | "get"; readonly bytes?: number }
  | { readonly kind: "memoize" }
  | { readonly kind: "line"; readonly of: LineKind }
  | { readonly kind: "sequence"; readonly length?: number }
  | { readonly kind: "append" | "set"; readonly many: boolean }
  | { readonly kind: "global"; readonly fromStack: boolean }
  /** Creates an object from the stack: a callee and its arguments, keywords, or everything since the last mark. */
  | { readonly kind: "call"; readonly from: "arguments" | "keywords" | "mark" | "line" }
  | {
    readonly kind:
      | "mark"
      | "float"
      | "dictionary"
      | "entries"
      | "build"
      | "persistent"
      | "persistentLine"
      | "pop"
      | "popMark"
      | "duplicate";
  };

/** What a line of text holds in protocol 0. */
export type LineKind = "integer" | "long" | "float" | "string" | "unicode";

/**
 * The operations of protocols 0 to 5 by their codes (Python's `pickletools.py` describes each). Sets, tuples and lists
 * are all sequences here, because nothing needs to tell them apart.
 */
export const operations: Readonly<Record<number, Operation>> = {
  0x80: { kind: "skip", bytes: 1 },
  0x95: { kind: "skip", bytes: 8 },
  0x28: { kind: "mark" },
  0x30: { kind: "pop" },
  0x31: { kind: "popMark" },
  0x32: { kind: "duplicate" },
  0x4e: { kind: "constant", value: null },
  0x88: { kind: "constant", value: true },
  0x89: { kind: "constant", value: false },
  0x49: { kind: "line", of: "integer" },
  0x4c: { kind: "line", of: "long" },
  0x46: { kind: "line", of: "float" },
  0x53: { kind: "line", of: "string" },
  0x56: { kind: "line", of: "unicode" },
  0x4a: { kind: "integer", bytes: 4, signed: true },
  0x4b: { kind: "integer", bytes: 1, signed: false },
  0x4d: { kind: "integer", bytes: 2, signed: false },
  0x8a: { kind: "long", bytes: 1 },
  0x8b: { kind: "long", bytes: 4 },
  0x47: { kind: "float" },
  0x58: { kind: "text", bytes: 4 },
  0x8c: { kind: "text", bytes: 1 },
  0x8d: { kind: "text", bytes: 8 },
  0x54: { kind: "text", bytes: 4 },
  0x55: { kind: "text", bytes: 1 },
  0x42: { kind: "bytes", bytes: 4 },
  0x43: { kind: "bytes", bytes: 1 },
  0x8e: { kind: "bytes", bytes: 8 },
  0x96: { kind: "bytes", bytes: 8 },
  0x5d: { kind: "sequence", length: 0 },
  0x8f: { kind: "sequence", length: 0 },
  0x29: { kind: "sequence", length: 0 },
  0x85: { kind: "sequence", length: 1 },
  0x86: { kind: "sequence", length: 2 },
  0x87: { kind: "sequence", length: 3 },
  0x6c: { kind: "sequence" },
  0x74: { kind: "sequence" },
  0x91: { kind: "sequence" },
  0x7d: { kind: "dictionary" },
  0x64: { kind: "entries" },
  0x61: { kind: "append", many: false },
  0x65: { kind: "append", many: true },
  0x90: { kind: "append", many: true },
  0x73: { kind: "set", many: false },
  0x75: { kind: "set", many: true },
  0x70: { kind: "put" },
  0x71: { kind: "put", bytes: 1 },
  0x72: { kind: "put", bytes: 4 },
  0x94: { kind: "memoize" },
  0x67: { kind: "get" },
  0x68: { kind: "get", bytes: 1 },
  0x6a: { kind: "get", bytes: 4 },
  0x63: { kind: "global", fromStack: false },
  0x93: { kind: "global", fromStack: true },
  0x52: { kind: "call", from: "arguments" },
  0x81: { kind: "call", from: "arguments" },
  0x92: { kind: "call", from: "keywords" },
  0x6f: { kind: "call", from: "mark" },
  0x69: { kind: "call", from: "line" },
  0x62: { kind: "build" },
  0x50: { kind: "persistentLine" },
  0x51: { kind: "persistent" },
};

/** Operations whose operands are not in the file: a registry of Python's, and buffers beside the pickle. */
export const refusedOperations: Readonly<Record<number, string>> = {
  0x82: "EXT1",
  0x83: "EXT2",
  0x84: "EXT4",
  0x97: "NEXT_BUFFER",
  0x98: "READONLY_BUFFER",
};
