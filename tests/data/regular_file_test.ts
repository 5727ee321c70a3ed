import assert from "node:assert/strict";
import { readRegularFile, readShortText, RegularFile } from "../../src/data/regular_file.ts";
import { CheckpointError, FormatError } from "../../src/errors.ts";
import { readModelFile, serializeOfficial } from "../../src/train/checkpoint/import.ts";
import { refuses } from "../refusal.ts";
import { withFiles } from "../temporary.ts";

const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * i >> 5);

Deno.test("RegularFile reads any range, in any order, up to both ends", async () => {
  await withFiles({ file: bytes, empty: new Uint8Array() }, async (folder) => {
    using file = await RegularFile.open(`${folder}/file`);
    assert.equal(file.size, bytes.length);
    for (
      const [begin, end] of [[99_999, 100_000], [0, 1], [0, 0], [100_000, 100_000], [7, 70_007]] as const
    ) {
      assert.deepEqual(file.read(begin, end), bytes.slice(begin, end));
    }
    assert.deepEqual(file.readWhole(bytes.length), bytes);
    assert.deepEqual(new Uint8Array(await new Response(file.stream()).arrayBuffer()), bytes);
    using empty = await RegularFile.open(`${folder}/empty`);
    assert.deepEqual(empty.readWhole(0), new Uint8Array());
  });
});

Deno.test("RegularFile refuses what has become shorter, is too large or no file, each in one line", async () => {
  await withFiles({ file: bytes }, async (folder) => {
    const path = `${folder}/file`;
    {
      using file = await RegularFile.open(path);
      await Deno.truncate(path, 50_000);
      assert.deepEqual(file.read(49_999, 50_000), bytes.slice(49_999, 50_000));
      const shorter = { name: "FormatError", message: /shorter while it was read/ };
      assert.throws(() => file.read(49_999, 50_001), shorter);
      assert.throws(() => file.readWhole(100_000), shorter);
    }
    await refuses(
      readRegularFile(path, 49_999),
      FormatError,
      /file: it has 50000 bytes, where at most 49999/,
    );
    await refuses(readRegularFile(folder, 10), FormatError, /it is a folder, not a file/);
    await Deno.truncate(path, 2 ** 33);
    using large = await RegularFile.open(path);
    assert.throws(() => large.read(0, 2 ** 33), {
      name: "FormatError",
      message: /more than can be read at once/,
    });
    await refuses(readShortText(path), FormatError, /at most 4194304 are expected/);
  });
});

Deno.test("a model is the same from a file and from bytes, and a file that becomes shorter is refused", async () => {
  const shipped = await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url));
  const official = serializeOfficial(await readModelFile(shipped));
  await withFiles({ shipped, official }, async (folder) => {
    for (const [name, contents] of [["shipped", shipped], ["official", official]] as const) {
      using file = await RegularFile.open(`${folder}/${name}`);
      assert.deepEqual(await readModelFile(file), await readModelFile(contents));
      await Deno.truncate(`${folder}/${name}`, contents.length - 1);
      await refuses(readModelFile(file), CheckpointError, /shorter while it was read/);
    }
  });
});
