import assert from "node:assert/strict";
import { bytesOf } from "../../src/formats/bytes.ts";
import { type NamedTensor, serializeSafetensors } from "../../src/formats/safetensors.ts";
import { GoldenFile } from "./golden_file.ts";
import { Verdicts } from "./verdict.ts";

function tensor(...values: number[]): NamedTensor {
  return { dtype: "F32", shape: [values.length], data: bytesOf(Float32Array.from(values)) };
}

/**
 * Verdicts on a file of these tensors, with a recorded float32 deviation of 1e-6. The test compares `a`, `b` and
 * `flags`.
 */
function judged(tensors: Record<string, NamedTensor>, a: readonly number[]): void {
  const deviation = Object.fromEntries(
    Object.keys(tensors).map((name) => [name, { max_abs: 1e-6, rel_l2: 1e-6 }]),
  );
  const bytes = serializeSafetensors(new Map(Object.entries(tensors)), {
    float32_deviation: JSON.stringify(deviation),
  });
  const verdicts = new Verdicts(new GoldenFile("made.safetensors", bytes));
  verdicts.compare("a", { shape: [a.length], data: Float32Array.from(a) }, "smooth");
  verdicts.compareNumber("b", 1, "smooth");
  verdicts.compareFlags("flags", [true, false]);
  verdicts.conclude();
}

Deno.test("golden verdicts: any of the tensors that a test knows will do, and each that is there is compared", () => {
  const flags: NamedTensor = { dtype: "U8", shape: [2], data: Uint8Array.of(1, 0) };
  judged({ a: tensor(1, 2), b: tensor(1), flags }, [1, 2]);
  judged({ a: tensor(1, 2) }, [1, 2]);
  judged({ b: tensor(1) }, [1, 2]);
  judged({ flags }, [1, 2]);
  assert.throws(() => judged({ a: tensor(1, 2.1) }, [1, 2]), /tensors that differ from the reference/);
  assert.throws(() => judged({ b: tensor(1.1) }, [1, 2]), /tensors that differ/);
  const other = { ...flags, data: Uint8Array.of(1, 1) };
  assert.throws(() => judged({ flags: other }, [1, 2]), /tensors that differ/);
});

Deno.test("golden verdicts: a file without any tensor that the test knows fails, and so does an unknown one", () => {
  assert.throws(() => judged({}, [1, 2]), /holds no tensor that this test compares/);
  assert.throws(() => judged({ c: tensor(1) }, [1, 2]), /holds no tensor that this test compares/);
  assert.throws(() => judged({ b: tensor(1), c: tensor(1) }, [1, 2]), /tensors that no test compares/);
});
