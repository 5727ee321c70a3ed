/** What an operation does; `bytes` is the size of the number that follows its code. */
export type Operation =
  | { readonly kind: "skip"; readonly bytes: number }
  | { readonly kind: "constant"; readonly value: null | boolean }
  | { readonly kind: "integer"; readonly bytes: number; readonly signed: boolean }
  | { readonly kind: "long" | "text" | "bytes" | "put" | "get"; readonly bytes: number }
  | { readonly kind: "tuple"; readonly length?: number }
  | { readonly kind: "append" | "set"; readonly many: boolean }
  | { readonly kind: "global"; readonly fromStack: boolean }
  | {
    readonly kind: "mark" | "float" | "list" | "dictionary" | "call" | "build" | "persistent" | "pop";
  };

/** The operations that tensors need, by their codes. */
export const operations: Readonly<Record<number, Operation>> = {
  0x80: { kind: "skip", bytes: 1 },
  0x95: { kind: "skip", bytes: 8 },
  0x28: { kind: "mark" },
  0x30: { kind: "pop" },
  0x4e: { kind: "constant", value: null },
  0x88: { kind: "constant", value: true },
  0x89: { kind: "constant", value: false },
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
  0x5d: { kind: "list" },
  0x7d: { kind: "dictionary" },
  0x29: { kind: "tuple", length: 0 },
  0x85: { kind: "tuple", length: 1 },
  0x86: { kind: "tuple", length: 2 },
  0x87: { kind: "tuple", length: 3 },
  0x74: { kind: "tuple" },
  0x61: { kind: "append", many: false },
  0x65: { kind: "append", many: true },
  0x73: { kind: "set", many: false },
  0x75: { kind: "set", many: true },
  0x71: { kind: "put", bytes: 1 },
  0x72: { kind: "put", bytes: 4 },
  0x94: { kind: "put", bytes: 0 },
  0x68: { kind: "get", bytes: 1 },
  0x6a: { kind: "get", bytes: 4 },
  0x63: { kind: "global", fromStack: false },
  0x93: { kind: "global", fromStack: true },
  0x52: { kind: "call" },
  0x62: { kind: "build" },
  0x51: { kind: "persistent" },
};

/** Operations that build objects of any class, by name for the message. */
export const refusedOperations: Readonly<Record<number, string>> = {
  0x81: "NEWOBJ",
  0x92: "NEWOBJ_EX",
  0x69: "INST",
  0x6f: "OBJ",
  0x82: "EXT1",
  0x83: "EXT2",
  0x84: "EXT4",
};
