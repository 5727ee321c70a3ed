import assert from "node:assert/strict";
import { StorageError } from "../../../src/errors.ts";
import { persistently, systemProblem, writeAtomically } from "../../../src/train/run/files.ts";
import { withFiles } from "../../temporary.ts";

Deno.test("writeAtomically() replaces a file as a whole, or leaves it and names path and bytes", async () => {
  await withFiles({ "a/old": new Uint8Array(3), "folder/inside": new Uint8Array() }, async (folder) => {
    await writeAtomically(`${folder}/a/old`, "new");
    assert.equal(await Deno.readTextFile(`${folder}/a/old`), "new");
    await assert.rejects(writeAtomically(`${folder}/folder`, new Uint8Array(1234)), (error) => {
      assert(error instanceof StorageError);
      assert.match(error.message, /^cannot write .*\/folder \(1,234 bytes\): Is a directory$/);
      return true;
    });
    await assert.rejects(writeAtomically(`${folder}/absent/x`, "x"), /absent\/x \(1 bytes\): No such file/);
    await assert.rejects(writeAtomically("", "x"), /its path is empty/);
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    assert.deepEqual(names, ["a", "folder"], "no partial file is left");
    assert.deepEqual((await Array.fromAsync(Deno.readDir(`${folder}/a`))).map(({ name }) => name), ["old"]);
  });
});

Deno.test("persistently() tries again with growing pauses, says when it begins and ends, and gives up in time", async () => {
  const attempts = async (failures: number, limit: number) => {
    const [pauses, said]: [number[], string[]] = [[], []];
    let attempt = 0;
    const done = await persistently(() => {
      return attempt++ < failures
        ? Promise.reject(new StorageError("cannot write x (5 bytes)"))
        : Promise.resolve();
    }, {
      tell: (line) => said.push(line),
      limit,
      pause: (milliseconds) => Promise.resolve(void pauses.push(milliseconds / 1000)),
    }).then(() => true, (error) => error.message as string);
    return { done, pauses, said };
  };
  assert.deepEqual(await attempts(0, 600_000), { done: true, pauses: [], said: [] });
  assert.deepEqual(await attempts(7, 600_000), {
    done: true,
    pauses: [1, 2, 4, 8, 16, 30, 30],
    said: ["warning: cannot write x (5 bytes); trying again for 600 s", "written after 91 s of waiting"],
  });
  assert.deepEqual(await attempts(Infinity, 10_000), {
    done: "cannot write x (5 bytes); gave up after 10 s",
    pauses: [1, 2, 4, 3],
    said: ["warning: cannot write x (5 bytes); trying again for 10 s"],
  });
  assert.deepEqual(await attempts(1, 0), { done: "cannot write x (5 bytes)", pauses: [], said: [] });
  const defect = new TypeError("a defect");
  await assert.rejects(persistently(() => Promise.reject(defect), { tell: () => {} }), defect);
});

Deno.test("systemProblem() gives the system's words alone", async () => {
  const error = await Deno.readFile("/absent/file").catch((error) => error);
  assert.equal(systemProblem(error), "No such file or directory");
  assert.equal(systemProblem(new Error("No space left on device (os error 28)")), "No space left on device");
  assert.equal(systemProblem(new TypeError("a defect")), undefined);
});
