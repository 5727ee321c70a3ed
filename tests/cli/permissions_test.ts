/**
 * The tasks may write their outputs and nothing else. They give up other permissions before they read untrusted files.
 */

import assert from "node:assert/strict";
import { projectFolder, taskArguments, taskCommands } from "../../scripts/tasks.ts";
import { isolationVariable } from "../../src/cli/job/adapters.ts";
import { jobVariables } from "../../src/distributed/job.ts";
import { withFiles } from "../temporary.ts";

/** Ending of the names of tasks that run a command in several processes. */
const jobs = ":mpi";

/** Ending of the names of tasks that run a command on Dawn. */
const onDawn = ":dawn";

/** The tasks that write to paths from their arguments. */
const writers = [...taskCommands.keys()].filter((task) =>
  !task.endsWith(jobs) && !task.endsWith(onDawn) &&
  taskArguments(task).some((argument) => argument.startsWith("--allow-write=/"))
);

/** Runs a program in a folder with a task's permissions, and returns what it printed. */
async function withPermissionsOf(task: string, folder: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArguments(task).slice(0, -1), ...args],
    cwd: folder,
    stdin: "null",
    env: { NO_COLOR: "1", INIT_CWD: folder },
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** At the end of a program, prints which of the paths in a variable it may write. */
const probe = `
  const paths = JSON.parse(PATHS);
  addEventListener("unload", () => {
    for (const path of paths) console.log(path, Deno.permissions.querySync({ name: "write", path }).state);
  });
`;

const absent = "absent.safetensors";

/** Arguments that end every command early, what it must be able to write then, and some of what it must not. */
const cases: Readonly<Record<string, { args: string[]; may: string[]; mayNot: string[] }>> = {
  sample: {
    args: ["--model", absent, "--out", "a/x.png", "--export", "y.npz"],
    may: ["a/x.png", "a/x.png.partial", "y.npz", "y.npz.partial"],
    mayNot: ["a/z.png", "a", "samples.png"],
  },
  evaluate: {
    args: ["--model", absent, "--out", "report", "--fid-statistics", "f.npz"],
    may: ["report", "report/plot.svg", "f.npz", "f.npz.partial"],
    mayNot: ["report2", "evaluation", "report/../x"],
  },
  compare: {
    args: ["a", "b", "--out", "both"],
    may: ["both", "both/report.html"],
    mayNot: ["a/evaluation/results.json", "bothx"],
  },
  convert: {
    args: [absent, "out.pt"],
    may: ["out.pt", "out.pt.partial"],
    mayNot: [absent, "out.pt.x"],
  },
  train: {
    args: ["--run-dir", "runs/one", "--set", "dataFolder=absent"],
    may: ["runs/one", "runs/one/checkpoints/00000001.safetensors.partial"],
    mayNot: ["runs", "runs/two", "absent"],
  },
  tune: {
    args: ["--set", "dataFolder=absent", "--out", "tables/x.json"],
    may: ["tables", "tables/x.json", "tables/x.json.partial"],
    mayNot: ["tuning/x.json", "absent"],
  },
  // `file` is a file where a folder is expected, so that nothing is downloaded.
  data: { args: ["mnist", "--to", "file/mnist"], may: ["file/mnist/x.gz.part"], mayNot: ["file/svhn"] },
};

Deno.test("every task that writes where its arguments say is tried", () => {
  assert.deepEqual(Object.keys(cases).sort(), writers.toSorted());
  for (const [task, command] of taskCommands) {
    assert.doesNotMatch(command, /--allow-all|-A\b/, task);
    const unlimited = /--allow-write(?= )/.test(command);
    assert.equal(unlimited, task === "test", `${task}: ${command}`);
  }
});

/** The command of the task without this ending, with the lock file of all packages. */
function commandWithout(ending: string, task: string): string {
  const command = taskCommands.get(task.slice(0, -ending.length))!;
  return command.replace(/^deno (run|test) (?!--lock)/, "deno $1 --lock=all.lock ");
}

Deno.test("tasks for jobs and for Dawn have the permissions of their command, and those that these need; no other has FFI", () => {
  for (const [task, command] of taskCommands) {
    if (task.endsWith(jobs)) {
      const variables = ["INIT_CWD", ...jobVariables, isolationVariable];
      const expected = commandWithout(jobs, task)
        .replace("--allow-env=INIT_CWD", `--allow-env=${variables} --allow-ffi`)
        .replace("src/cli/", "src/cli/job/");
      assert.equal(command, expected);
    } else if (task === "test:dawn") {
      // It runs `deno test` with the permissions of the task of all tests.
      assert.match(
        command,
        /^deno run --lock=all\.lock --no-prompt --allow-read --allow-ffi --allow-run=deno \S+$/,
      );
    } else if (task.endsWith(onDawn)) {
      const expected = commandWithout(onDawn, task).replace("INIT_CWD", "INIT_CWD --allow-ffi");
      assert.equal(command, `${expected} --gpu dawn`);
    } else assert.doesNotMatch(command, /--allow-ffi/, task);
  }
});

for (const [task, { args, may, mayNot }] of Object.entries(cases)) {
  Deno.test(`${task} may write its outputs and nothing else`, async () => {
    await withFiles({ file: new Uint8Array(1) }, async (folder) => {
      const elsewhere = [
        ...[".", "deno.json", "src/mod.ts", "data/models/digits.safetensors"].map((name) =>
          projectFolder + name
        ),
        "/etc/hosts",
        "/",
      ];
      const at = (name: string) => name.startsWith("/") ? name : `${folder}/${name}`;
      const allowed = may.map(at);
      const refused = [...mayNot, ".", "other", ...elsewhere].map(at);
      await Deno.writeTextFile(
        `${folder}/probe.ts`,
        `const PATHS = ${JSON.stringify(JSON.stringify([...allowed, ...refused]))};${probe}`,
      );
      const script = taskArguments(task).at(-1)!;
      const output = await withPermissionsOf(task, folder, `--preload=${folder}/probe.ts`, script, ...args);
      for (const path of allowed) assert(output.includes(`${path} granted\n`), `${path}: ${output}`);
      for (const path of refused) assert(output.includes(`${path} prompt\n`), `${path}: ${output}`);
    });
  });
}

/** Tries to write in the ways that Deno and Node offer, and prints which ones succeeded. */
const attempts = `
  import { writeFileSync } from "node:fs";
  import { writeOnly } from ${JSON.stringify(new URL("../../src/cli/permissions.ts", import.meta.url).href)};
  await writeOnly({ files: ["one.png", undefined], folders: ["out", "linked"] });
  const tries = {
    file: () => Deno.writeTextFile("one.png", "x"),
    partial: () => Deno.writeTextFile("one.png.partial", "x"),
    rename: () => Deno.rename("one.png.partial", "one.png"),
    folder: () => Deno.mkdir("out/deep", { recursive: true }),
    inside: () => Deno.writeTextFile("out/deep/x", "x"),
    throughALink: () => Deno.writeTextFile("linked/x", "x"),
    elsewhere: () => Deno.writeTextFile("two.png", "x"),
    sibling: () => Deno.writeTextFile("outer", "x"),
    above: () => Deno.writeTextFile("out/../two.png", "x"),
    node: () => writeFileSync("two.png", "x"),
    append: () => Deno.writeTextFile("victim", "x", { append: true }),
    truncate: () => Deno.truncate("victim"),
    mode: () => Deno.chmod("victim", 0o777),
    remove: () => Deno.remove("victim"),
    take: () => Deno.rename("victim", "out/victim"),
    put: () => Deno.rename("one.png", "two.png"),
    copy: () => Deno.copyFile("one.png", "two.png"),
    symbolicLink: () => Deno.symlink("../victim", "out/link"),
    hardLink: () => Deno.link("victim", "out/link"),
    temporary: () => Deno.makeTempFile(),
    regain: async () => {
      await Deno.permissions.request({ name: "write" });
      await Deno.writeTextFile("two.png", "x");
    },
    run: () => new Deno.Command("true").output(),
    net: () => Deno.connect({ hostname: "127.0.0.1", port: 9 }),
    worker: () => new Promise((resolve, reject) => {
      const code = 'try { Deno.writeTextFileSync("two.png", "x"); postMessage(1); } catch { postMessage(0); }';
      const worker = new Worker("data:text/javascript," + encodeURIComponent(code), { type: "module" });
      worker.onmessage = ({ data }) => { worker.terminate(); data ? resolve() : reject(); };
    }),
  };
  const done = [];
  for (const [name, attempt] of Object.entries(tries)) {
    try { await attempt(); done.push(name); } catch { /* refused */ }
  }
  console.log(JSON.stringify(done));
`;

Deno.test("writeOnly() leaves no way to write elsewhere, and none to get it back", async () => {
  const files = {
    "attempts.ts": new TextEncoder().encode(attempts),
    victim: new TextEncoder().encode("victim"),
  };
  await withFiles(files, async (folder) => {
    for (const name of ["out", "target"]) await Deno.mkdir(`${folder}/${name}`);
    await Deno.symlink("target", `${folder}/linked`);
    const output = await withPermissionsOf("sample", folder, `${folder}/attempts.ts`);
    assert.equal(output, '["file","partial","rename","folder","inside","throughALink"]\n');
    assert.equal(await Deno.readTextFile(`${folder}/victim`), "victim");
  });
});

/** Tries to read in several ways, and prints which ones succeeded. */
const readings = `
  import { readOnlyIn } from ${JSON.stringify(new URL("../../src/cli/permissions.ts", import.meta.url).href)};
  await readOnlyIn(["in"]);
  const tries = {
    inside: () => Deno.readTextFile("in/file"),
    deep: () => Array.fromAsync(Deno.readDir("in/deep")),
    elsewhere: () => Deno.readTextFile("attempts.ts"),
    above: () => Deno.readTextFile("in/../attempts.ts"),
    system: () => Deno.readTextFile("/etc/hosts"),
    list: () => Array.fromAsync(Deno.readDir(".")),
    regain: async () => {
      await Deno.permissions.request({ name: "read" });
      await Deno.readTextFile("attempts.ts");
    },
    write: () => Deno.writeTextFile("in/file", "x"),
    run: () => new Deno.Command("true").output(),
    elsewhereOnTheNet: () => Deno.connect({ hostname: "192.0.2.1", port: 80 }),
  };
  const done = [];
  for (const [name, attempt] of Object.entries(tries)) {
    try { await attempt(); done.push(name); } catch { /* refused */ }
  }
  console.log(JSON.stringify(done));
`;

Deno.test("watch reads the folders of its runs and nothing else", async () => {
  const files = {
    "attempts.ts": new TextEncoder().encode(readings),
    "in/file": new Uint8Array(1),
    "in/deep/file": new Uint8Array(1),
  };
  await withFiles(files, async (folder) => {
    const output = await withPermissionsOf("watch", folder, `${folder}/attempts.ts`);
    assert.equal(output, '["inside","deep"]\n');
  });
});
