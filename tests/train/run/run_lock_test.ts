import { CheckpointError } from "../../../src/errors.ts";
import { RunLock } from "../../../src/train/run/run_lock.ts";
import { refuses } from "../../refusal.ts";
import { withFiles } from "../../temporary.ts";

/** A file system that cannot lock, such as NFS without its lock service. */
const nothingLocks = () => Promise.reject(new Error("No locks available (os error 37)"));
/** A file system that can lock files but not folders. */
const filesLock = async (file: Deno.FsFile) =>
  (await file.stat()).isDirectory
    ? Promise.reject(new Error("Bad file descriptor (os error 9)"))
    : file.tryLock(true);

const inUse = new RegExp(`is in use by another process: ${Deno.pid}.*, since 20\\d\\d-`);

Deno.test("RunLock: one holder at a time, named to the others; free once it is given back", async () => {
  await withFiles({}, async (folder) => {
    {
      using _lock = await RunLock.take(folder);
      await refuses(RunLock.take(folder), CheckpointError, inUse);
    }
    using _again = await RunLock.take(folder);
  });
});

Deno.test({
  name: "RunLock: the run stays taken when the lock file is deleted, which is made anew",
  // Windows does not allow an open file to be replaced.
  ignore: Deno.build.os === "windows",
  async fn() {
    await withFiles({}, async (folder) => {
      using lock = await RunLock.take(folder);
      await Deno.remove(`${folder}/lock`);
      await refuses(RunLock.take(folder), CheckpointError, /is in use by another process/);
      await lock.check();
      await refuses(RunLock.take(folder), CheckpointError, inUse);
    });
  },
});

Deno.test({
  name: "RunLock: where folders cannot be locked, the first holder notices that another has taken the run",
  ignore: Deno.build.os === "windows",
  async fn() {
    await withFiles({}, async (folder) => {
      using first = await RunLock.take(folder, filesLock);
      await first.check();
      await Deno.remove(`${folder}/lock`);
      using second = await RunLock.take(folder, filesLock);
      await refuses(first.check(), CheckpointError, inUse);
      await second.check();
    });
  },
});

Deno.test("RunLock: where nothing can be locked, a run is taken as long as its lock shows life", async () => {
  await withFiles({}, async (folder) => {
    {
      using lock = await RunLock.take(folder, nothingLocks);
      await lock.check();
      await refuses(RunLock.take(folder, nothingLocks), CheckpointError, /if that has ended, delete .*lock/);
      await Deno.utime(`${folder}/lock`, new Date(), new Date(Date.now() - 700_000));
      using _other = await RunLock.take(folder, nothingLocks);
      await refuses(lock.check(), CheckpointError, /in use/);
    }
    using _free = await RunLock.take(folder, nothingLocks);
  });
});

Deno.test("RunLock: what is in a lock file does not matter where the system locks", async () => {
  for (const contents of ["", "null", "{}", '{"process":1e400,"since":"x\\ny"}', "x".repeat(5000)]) {
    await withFiles({ lock: new TextEncoder().encode(contents) }, async (folder) => {
      using _lock = await RunLock.take(folder);
    });
  }
});
