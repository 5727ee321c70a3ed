import assert from "node:assert/strict";

/** Checks that bytes are the same. On megabytes that differ, `assert.deepEqual` would take minutes to say where. */
export function requireSameBytes(found: Uint8Array, expected: Uint8Array, what: string): void {
  assert.equal(found.length, expected.length, `length of ${what}`);
  const different = found.findIndex((byte, i) => byte !== expected[i]);
  assert.equal(different, -1, `first byte of ${what} that differs`);
}
