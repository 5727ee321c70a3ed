import { gunzipSync, gzipSync } from "fflate";
import assert from "node:assert/strict";
import { DataError } from "../../src/errors.ts";
import type { ImageSet } from "../../src/data/dataset.ts";
import { loadDigits } from "../../src/data/digits.ts";

const file = await Deno.readFile(new URL("../../data/digits/digits.csv.gz", import.meta.url));
const lines = new TextDecoder().decode(gunzipSync(file)).trimEnd().split("\n");

/** The images of a set, as lines of the file. */
function linesOf({ bytes, labels, count }: ImageSet): string[] {
  return Array.from({ length: count }, (_, i) => [...bytes.subarray(i * 64, i * 64 + 64), labels[i]].join());
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

Deno.test("loadDigits() describes the data set", async () => {
  const { name, height, width, channels, maximum, classNames, augmentation } = await loadDigits(file);
  assert.deepEqual([name, height, width, channels, maximum], ["digits", 8, 8, 1, 16]);
  assert.deepEqual(classNames, [..."0123456789"]);
  assert.deepEqual(augmentation, { padding: 1, flip: false });
});

Deno.test("loadDigits() splits every line of the file into training or test set, and has all digits in both", async () => {
  const { train, test } = await loadDigits(file);
  assert.deepEqual([train.count, test.count], [1437, 360]);
  assert.deepEqual([...linesOf(train), ...linesOf(test)].sort(), lines.toSorted());
  const counts = [train, test].map(({ labels }) =>
    Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length)
  );
  const total = counts[0]!.map((count, digit) => count + counts[1]![digit]!);
  assert.deepEqual(total, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  for (const count of counts[1]!) assert.ok(count >= 20, `${counts[1]}`);
});

Deno.test("loadDigits() always makes the same split", async () => {
  const { train, test } = await loadDigits(file);
  assert.equal(
    await sha256(linesOf(train).join("\n") + "\n\n" + linesOf(test).join("\n")),
    "569d4e57ac4ef6f3ef2f73751a3427ee219fed2c3fb13b224c773ecd342ab324",
  );
});

Deno.test("loadDigits() refuses a damaged file, naming the line", async () => {
  const changed = (index: number, line: string) =>
    gzipSync(new TextEncoder().encode(lines.with(index, line).join("\n")));
  const good = lines[4]!;
  const cases: [Uint8Array, RegExp][] = [
    [changed(4, good.slice(0, good.lastIndexOf(","))), /line 5: 64 values, expected 64 pixels and a class/],
    [changed(4, `${good},1`), /line 5: 66 values/],
    [changed(4, good.replace(/^\d+/, "17")), /line 5: value 1 is "17", expected a whole number from 0 to 16/],
    [changed(0, lines[0]!.replace(/^\d+/, "-1")), /line 1: value 1 is "-1"/],
    [changed(4, good.replace(/^\d+/, "")), /line 5: value 1 is ""/],
    [changed(4, good.replace(/\d+$/, "10")), /line 5: value 65 is "10", expected a whole number from 0 to 9/],
    [gzipSync(new TextEncoder().encode(lines.slice(1).join("\n"))), /1796 lines, expected 1797/],
    [gzipSync(new Uint8Array()), /line 1: 1 values/],
    [file.subarray(0, 1000), /digits: /],
    [new Uint8Array(100), /digits: compressed data are damaged or truncated/],
  ];
  for (const [bytes, message] of cases) {
    await assert.rejects(loadDigits(new Uint8Array(bytes)), (error) => {
      assert.ok(error instanceof DataError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});
