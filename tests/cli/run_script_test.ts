import assert from "node:assert/strict";
import { taskCommands, taskDescriptions } from "../../scripts/tasks.ts";
import { withFiles } from "../temporary.ts";

/** A machine as `./run` sees it, with fake commands. */
interface Machine {
  /** The backends that have a driver. */
  readonly drivers?: readonly string[];
  /** Whether apt-get exists, and whether it can install. */
  readonly packages?: "none" | "offline" | "online";
  readonly user?: "root" | "plain" | "sudo";
}

/** Finds an adapter if a file `driver-BACKEND` exists for one of the allowed backends. By default, any is allowed. */
const deno = `#!/bin/sh
case $1 in
--version) echo "deno 2.9.6" ;;
eval)
  echo "checked \${DENO_WEBGPU_BACKEND-any}" >>"$MACHINE/log"
  for backend in $(echo "\${DENO_WEBGPU_BACKEND-vulkan,metal,dx12,gl}" | tr , " "); do
    [ ! -e "$MACHINE/driver-$backend" ] || exit 0
  done
  exit 1
  ;;
run | test) echo "process $$: $*" ;;
task) shift; echo "ran $* with \${DENO_WEBGPU_BACKEND-any}" ;;
esac
`;

/** The tasks in the layout of `deno.json`, with commands that only `deno task` can run. */
const tasks = JSON.stringify(
  {
    tasks: Object.fromEntries(
      [...taskDescriptions].map(([name, description]) => [name, { description, command: "ran" }]),
    ),
  },
  null,
  2,
);

const aptGet = (online: boolean) =>
  `#!/bin/sh
echo "apt-get $1" >>"$MACHINE/log"
${online ? '[ "$1" = update ] || : >"$MACHINE/driver-vulkan"' : "exit 100"}
`;

const sudo = (allowed: boolean) => `#!/bin/sh\n${allowed ? 'shift; exec "$@"' : "exit 1"}\n`;

/** Runs `./run` in a folder of its own, on one machine. */
async function onMachine(
  { drivers = [], packages = "none", user = "root" }: Machine,
  use: (
    run: (task?: string, env?: Record<string, string>, args?: readonly string[]) => Promise<Ran>,
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  await withFiles({}, async (folder) => {
    await Deno.mkdir(`${folder}/bin`);
    const program = (name: string, text: string) =>
      Deno.writeTextFile(`${folder}/bin/${name}`, text, { mode: 0o755 });
    await program("deno", deno);
    await program("id", `#!/bin/sh\necho ${user === "root" ? 0 : 1000}\n`);
    await program("sudo", sudo(user === "sudo"));
    await program("uname", "#!/bin/sh\n[ $1 = -n ] && echo machine || echo Linux\n");
    // Other programs that the script needs, and no more: it must not find the real apt-get.
    for (const name of ["awk", "cat", "chmod", "dirname", "ls", "mkdir", "sed", "tr", "true"]) {
      await program(name, `#!/bin/sh\nPATH=/usr/bin:/bin exec ${name} "$@"\n`);
    }
    // `env` must keep the machine's path.
    await program("env", '#!/bin/sh\nshift; exec "$@"\n');
    if (packages !== "none") await program("apt-get", aptGet(packages === "online"));
    for (const backend of drivers) await Deno.writeTextFile(`${folder}/driver-${backend}`, "");
    await Deno.copyFile(new URL("../../run", import.meta.url), `${folder}/run`);
    await Deno.writeTextFile(`${folder}/deno.json`, tasks);
    await use((task, env = {}, args = []) => call(folder, task, env, args), folder);
  });
}

interface Ran {
  readonly pid: number;
  readonly status: number;
  readonly output: string;
  readonly errors: string;
  /** The adapter checks and the calls of apt-get, in order. */
  readonly log: readonly string[];
}

async function call(
  folder: string,
  task: string | undefined,
  env: Record<string, string>,
  args: readonly string[],
): Promise<Ran> {
  const log = `${folder}/log`;
  await Deno.writeTextFile(log, "");
  const process = new Deno.Command("/bin/sh", {
    args: [
      ...(env["NOHUP"] ? ["-c", 'trap "" HUP; exec /bin/sh "$0" "$@"'] : []),
      `${folder}/run`,
      ...task === undefined ? [] : [task],
      ...args,
    ],
    clearEnv: true,
    env: { PATH: `${folder}/bin`, MACHINE: folder, ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { code, stdout, stderr } = await process.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  const lines = (await Deno.readTextFile(log)).split("\n").filter((line) => line !== "");
  return { pid: process.pid, status: code, output: text(stdout), errors: text(stderr), log: lines };
}

/** The backends that `./run` asks for. */
const native = "vulkan,metal,dx12";

const ignore = Deno.build.os === "windows";

for (const backend of ["vulkan", "metal", "dx12"]) {
  Deno.test({
    name: `./run: ${backend} is taken as it is, and remembered`,
    ignore,
    async fn() {
      await onMachine({ drivers: [backend, "gl"], packages: "online" }, async (run) => {
        const first = await run("train");
        assert.deepEqual([first.output, first.errors], [`ran train with ${native}`, ""]);
        assert.deepEqual(first.log, [`checked ${native}`]);
        const second = await run("train");
        assert.deepEqual([second.output, second.log], [`ran train with ${native}`, []]);
      });
    },
  });
}

for (const user of ["root", "sudo"] as const) {
  for (const drivers of [[], ["gl"]]) {
    Deno.test({
      name: `./run: installs Vulkan's driver (${user}, ${drivers.length ? "with" : "without"} OpenGL)`,
      ignore,
      async fn() {
        await onMachine({ drivers, packages: "online", user }, async (run) => {
          const { output, errors, log } = await run("train");
          assert.equal(output, `ran train with ${native}`);
          assert.match(errors, /^No Vulkan driver: installing Mesa's .*$/);
          assert.deepEqual(log, [
            `checked ${native}`,
            "apt-get update",
            "apt-get install",
            `checked ${native}`,
          ]);
          assert.deepEqual((await run("train")).log, []);
        });
      },
    });
  }
}

for (
  const machine of [
    { user: "plain", packages: "online" },
    { user: "root", packages: "offline" },
    { user: "root", packages: "none" },
  ] as const
) {
  Deno.test({
    name: `./run: where Vulkan's driver cannot be installed (${machine.user}, packages ${machine.packages})`,
    ignore,
    async fn() {
      await onMachine(machine, async (run) => {
        const { status, output, errors } = await run("train");
        assert.equal(status, 1);
        assert.equal(output, "");
        assert.match(errors, /^No WebGPU adapter\. To get one: .*$/m);
      });
      await onMachine({ ...machine, drivers: ["gl"] }, async (run, folder) => {
        const { output, errors } = await run("train");
        // The command itself reports that it runs on OpenGL.
        assert.equal(output, "ran train with any");
        assert.doesNotMatch(errors, /OpenGL/);
        for (const task of ["test", "test:golden", "ok", "bench"]) {
          assert.match((await run(task)).errors, /^warning: no Vulkan driver, .* OpenGL.* To get one: .*$/m);
        }
        // Once a driver exists, it is used.
        await Deno.writeTextFile(`${folder}/driver-vulkan`, "");
        assert.equal((await run("train")).output, `ran train with ${native}`);
      });
    },
  });
}

Deno.test({
  name:
    "./run: a check that was remembered before backends were told apart, or with other drivers, is repeated",
  ignore,
  async fn() {
    await onMachine({ drivers: ["gl"], packages: "online" }, async (run, folder) => {
      await Deno.mkdir(`${folder}/.tools`);
      await Deno.writeTextFile(`${folder}/.tools/webgpu`, "machine\n");
      assert.equal((await run("train")).output, `ran train with ${native}`);
      assert.deepEqual((await run("train")).log, []);
      await Deno.remove(`${folder}/driver-vulkan`);
      const { log } = await run("train", { VK_DRIVER_FILES: "/another.json" });
      assert.deepEqual(log.slice(0, 2), [`checked ${native}`, "apt-get update"]);
    });
  },
});

Deno.test({
  name: "./run: a backend that the user chose stands",
  ignore,
  async fn() {
    await onMachine({ drivers: ["vulkan", "gl"], packages: "online" }, async (run) => {
      const chosen = await run("test", { DENO_WEBGPU_BACKEND: "gl" });
      assert.deepEqual([chosen.output, chosen.errors], ["ran test with gl", ""]);
      const missing = await run("train", { DENO_WEBGPU_BACKEND: "metal" });
      assert.equal(missing.status, 1);
      assert.match(missing.errors, /^No WebGPU adapter with DENO_WEBGPU_BACKEND=metal\. To get one: .*$/);
      assert.deepEqual(missing.log, ["checked metal"]);
    });
  },
});

Deno.test({
  name: "./run: becomes the program of the task, so that signals reach it and its end is the program's",
  ignore,
  async fn() {
    await onMachine({ drivers: ["vulkan"] }, async (run, folder) => {
      await Deno.copyFile(new URL("../../deno.json", import.meta.url), `${folder}/deno.json`);
      for (const [task, command] of taskCommands) {
        const { pid, output } = await run(task, {}, ["--run-dir", "two  words *"]);
        if (command.startsWith("deno check")) assert.equal(output, "", task);
        else assert.equal(output, `process ${pid}: ${command.slice(5)} --run-dir two  words *`);
      }
      for (const words of [["--help"], ["--iterations", "3", "-h"], ["--help=options"]]) {
        // Help needs no adapter. Without this file, any other call would look for one.
        await Deno.remove(`${folder}/.tools/webgpu`).catch(() => {});
        const { output, log } = await run("train", {}, words);
        assert.match(output, RegExp(` src/cli/train\\.ts ${words.join(" ")}$`));
        assert.deepEqual(log, []);
      }
      const { output } = await run("train", { NOHUP: "1" }, ["--resume"]);
      assert.match(output, / src\/cli\/train\.ts --ignore-hangup --resume$/);
      assert.doesNotMatch((await run("bench", { NOHUP: "1" })).output, /--ignore-hangup/);
    });
  },
});

Deno.test({
  name: "./run: lists every task of deno.json with its description in 80 columns, without Deno",
  ignore,
  async fn() {
    await onMachine({}, async (run, folder) => {
      await Deno.copyFile(new URL("../../deno.json", import.meta.url), `${folder}/deno.json`);
      await Deno.remove(`${folder}/bin/deno`);
      const { status, output, errors, log } = await run();
      assert.deepEqual([status, errors, log], [2, "", []]);
      const listed = [...output.matchAll(/^ {2}(\S+) +(\S.*(?:\n {5}.*)*)$/gm)].map(([, name, text]) =>
        [name!, text!.replaceAll(/\s+/g, " ")] as const
      );
      assert.deepEqual(new Map(listed), taskDescriptions);
      const names = listed.map(([name]) => name);
      assert.deepEqual(names.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":"))), names);
      for (const line of output.split("\n")) assert(line.length <= 80, line);
      for (const option of ["--help", "-h"]) {
        assert.deepEqual({ ...await run(option), pid: 0 }, { pid: 0, status: 0, output, errors: "", log });
      }
    });
  },
});

Deno.test({
  name: "./run: breaks a long description between words",
  ignore,
  async fn() {
    await onMachine({}, async (run, folder) => {
      const description = "many words that would not fit a line ".repeat(5).trim();
      const long = JSON.stringify({ tasks: { long: { description, command: "ran" } } }, null, 2);
      await Deno.writeTextFile(`${folder}/deno.json`, long);
      const lines = (await run("--help")).output.split("\n").slice(2, -3);
      assert.deepEqual(lines.map((line) => line.slice(0, 17).trim()), ["long", "", ""]);
      assert.equal(lines.map((line) => line.slice(17)).join(" "), description);
      for (const line of lines) assert(line.length <= 80 && line.length > 80 - 8, line);
    });
  },
});

Deno.test({
  name: "./run: a task that there is not is refused in a line, before anything is looked for",
  ignore,
  async fn() {
    await onMachine({}, async (run, folder) => {
      await Deno.copyFile(new URL("../../deno.json", import.meta.url), `${folder}/deno.json`);
      await Deno.remove(`${folder}/bin/deno`);
      // Some of them are keys of deno.json that are not tasks.
      const unknown = ["nosuch", "", "t.ain", 'train": {', "--version", "rules", "lint", "tr\nain", "TRAIN"];
      for (const name of unknown) {
        const { status, output, errors, log } = await run(name);
        assert.deepEqual([status, output, log], [2, "", []], name);
        assert.equal(errors, `error: there is no task "${name.replace("\n", "")}"; ./run lists them`);
      }
    });
  },
});

Deno.test("every task has a description that is one plain phrase", () => {
  for (const [name, description] of taskDescriptions) {
    assert.match(description, /^[A-Z][\w ',:/.;-]+[^. ]$/, name);
  }
});
