import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { fitted, type LinePart, LiveLine } from "../../src/cli/live_line.ts";
import { TrainingLine } from "../../src/cli/training/output.ts";
import { reportFields } from "../../src/jem/training_step.ts";
import type { IterationReport } from "../../src/train/iteration/report.ts";
import { withFiles } from "../temporary.ts";

// Other systems have no `script` to run a command on a terminal, or a different one.
const ignore = Deno.build.os !== "linux";

/** Runs `live_line_child.ts` on its own terminal, which reports no columns. `before` goes before the command. */
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
        const [, shown] = /\[K(step-0-x*)[\r\n]/.exec(output) ?? [];
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

/** Keeps what it would show. */
class KeptLine extends LiveLine {
  kept: string | readonly LinePart[] = "";

  override update(line: string | readonly LinePart[]): void {
    this.kept = line;
  }

  override note(): void {}
}

/** The line of a long run with everything in it. */
function trainingLine(): string | readonly LinePart[] {
  const line = new KeptLine();
  const listener = new TrainingLine(line);
  const values = Object.fromEntries(reportFields.map((field) => [field, -12.3456]));
  listener.tested(100, {
    testAccuracy: 0.912,
    testAccuracyInterval: [0.9, 0.92],
    testImages: 1000,
    testLoss: 0.3,
    ece: 0.02,
  }, "test");
  listener.progress({
    report: { iteration: 123_455, learningRate: 0.1, ...values, accuracy: 0.875 } as IterationReport,
    iterations: 200_000,
    imagesPerSecond: 1234,
    secondsLeft: 40_000,
    exchangeShare: 0.25,
    leaningSince: 123_400,
  });
  return line.kept;
}

Deno.test("TrainingLine: parts fall away by their importance, and no number is cut, however narrow the terminal", () => {
  const shown = (columns: number) => fitted(trainingLine(), columns);
  const all =
    "iteration 123456/200000  1234 images/s  exchange 25.0 %  11:06:40 left  loss -12.346  CE -12.346  " +
    "E(real) 12.35  E(generated) 12.35  accuracy 87.5 %  leaning since 123400  test 91.2 %";
  assert.equal(shown(1000), all);
  assert.equal(shown(79), "123456/200000  11:06:40 left  loss -12.346  accuracy 87.5 %  test 91.2 %");
  const words = new Set(all.split(/ +/));
  for (let columns = 0; columns <= all.length; columns++) {
    const text = shown(columns);
    assert(text.length <= columns, `${columns}: ${text}`);
    if (text) { for (const word of text.split(/ +/)) assert(words.has(word), `${columns}: ${text}`); }
  }
  assert.equal(shown(42), "123456/200000  11:06:40 left  loss -12.346");
  assert.equal(shown(41), "123456/200000  11:06:40 left");
  assert.equal(shown(22), "123456/200000");
  assert.equal(shown(12), "");
});

Deno.test("LiveLine: a text that is too long ends with a whole word", () => {
  assert.equal(fitted("filling the replay buffer: 1234/5000", 79), "filling the replay buffer: 1234/5000");
  assert.equal(fitted("filling the replay buffer: 1234/5000", 35), "filling the replay buffer:");
  assert.equal(fitted("filling the replay buffer: 1234/5000", 36), "filling the replay buffer: 1234/5000");
  assert.equal(fitted("x".repeat(100), 79), "x".repeat(79));
  assert.equal(fitted("a\x1b[31m b", 79), "a\\x1b[31m b");
});
