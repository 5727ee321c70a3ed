import assert from "node:assert/strict";
import { encodePng } from "../../src/formats/pictures/png.ts";
import { withFiles } from "../temporary.ts";
import { run } from "./commands.ts";

Deno.test("train: the first line says what was found in a folder of pictures, and testShare divides it", async () => {
  const png = (value: number) =>
    encodePng({ width: 9, height: 8, channels: 3, data: new Uint8Array(216).fill(value) });
  const files = Object.fromEntries(
    [...Array(10).keys()].flatMap((
      i,
    ) => [[`pictures/a/${i}.png`, png(20)], [`pictures/b/${i}.png`, png(200)]]),
  );
  await withFiles({ ...files, "pictures/c.webp": new Uint8Array(9) }, async (folder) => {
    const settings = {
      dataset: "images",
      dataFolder: `${folder}/pictures`,
      testShare: 0.3,
      imageSize: 8,
      likelihoodBatch: 4,
      labelledBatch: 4,
      bufferSize: 8,
      warmup: 0,
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const { status, output, errors } = await run(
      "train",
      ...["--preset", "cifar10-tiny", ...options, "--iterations", "1", "--run-dir", `${folder}/run`],
    );
    assert.equal(status, 0, errors);
    const [first] = output.split("\n");
    assert.equal(
      first,
      "images: 2 classes (a 10, b 10), 20 pictures, 6 held out for testing; left out: 1 picture of formats that are " +
        "not read (1 WebP)",
    );
    assert.match(output, /on images \(14 images\)/);
  });
});
