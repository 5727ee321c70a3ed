import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withFiles } from "../temporary.ts";

// Other systems have no `script`, or another one, to run a command on a terminal.
const ignore = Deno.build.os !== "linux";

/** Runs `live_line_child.ts` on a terminal of its own that says that it has no columns; `before` goes before the command. */
function onTerminal(file: string, before = ""): Deno.ChildProcess {
  const child = fileURLToPath(new URL("live_line_child.ts", import.meta.url));
  const command = `${before} '${Deno.execPath()}' run --allow-write '${child}' '${file}' --ignore-hangup`;
  return new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

for (const before of ["", "setsid -w"]) {
  Deno.test({
    name: `LiveLine: a terminal of 0 columns ${before && "that is not the session's "}has 80`,
    ignore,
    async fn() {
      await withFiles({}, async (folder) => {
        const { code, stdout } = await onTerminal(`${folder}/end`, before).output();
        const output = new TextDecoder().decode(stdout);
        assert.equal(code, 0, output);
        assert.equal(await Deno.readTextFile(`${folder}/end`), "whole");
        const [, shown] = /\[K(step 0 x*)[\r\n]/.exec(output) ?? [];
        assert.equal(shown?.length, 79, output);
        assert.match(output, /note\r?\n.*end\r?\n$/s);
      });
    },
  });
}

Deno.test({
  name: "LiveLine: a terminal that is closed does not end the work",
  ignore,
  async fn() {
    await withFiles({}, async (folder) => {
      const terminal = onTerminal(`${folder}/end`);
      const reader = terminal.stdout.getReader();
      let output = "";
      while (!/step/.test(output)) output += new TextDecoder().decode((await reader.read()).value);
      terminal.kill("SIGKILL");
      await reader.cancel();
      await terminal.status;
      const deadline = performance.now() + 30_000;
      const whole = () => Deno.readTextFile(`${folder}/end`).catch(() => "");
      while (await whole() !== "whole") {
        assert(performance.now() < deadline, "the command has ended with its terminal");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
  },
});
