import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ownErrors, run, start } from "./commands.ts";
import { checkpoints, checkpointsAtLeast, quick } from "./training_runs.ts";
import { withFiles } from "../temporary.ts";

const ignore = Deno.build.os === "windows";

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A process whose output is read while it runs. */
class Watched {
  output = "";
  readonly #reading: Promise<void>;

  constructor(readonly process: Deno.ChildProcess) {
    this.#reading = this.#read();
    void process.stderr.cancel();
  }

  async #read(): Promise<void> {
    for await (const text of this.process.stdout.pipeThrough(new TextDecoderStream())) this.output += text;
  }

  /** Waits until the output matches. */
  async until(text: RegExp): Promise<void> {
    const deadline = performance.now() + 180_000;
    while (!text.test(this.output)) {
      assert(performance.now() < deadline, `no ${text} in: ${this.output}`);
      await wait(20);
    }
  }

  /** Waits for its end, but at most `within` milliseconds. */
  async end(within = 60_000): Promise<Deno.CommandStatus> {
    const began = performance.now();
    const status = await this.process.status;
    await this.#reading;
    assert(performance.now() - began < within, `it took ${performance.now() - began} ms to end`);
    return status;
  }
}

/** Starts `signal_child.ts`, and waits until it is listening. */
async function child(...args: string[]): Promise<Watched> {
  const watched = new Watched(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", fileURLToPath(new URL("signal_child.ts", import.meta.url)), ...args],
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
  await watched.until(/listening/);
  return watched;
}

Deno.test({
  name: "a second Ctrl-C ends a run at once, even while its thread is blocked",
  ignore,
  async fn() {
    const blocked = await child("blocked");
    blocked.process.kill("SIGINT");
    await wait(600);
    blocked.process.kill("SIGINT");
    const { signal, code } = await blocked.end(5_000);
    assert(signal === "SIGINT" || code === 130);
  },
});

Deno.test({
  name: "one Ctrl-C that arrives twice, or another signal that does, lets a run save",
  ignore,
  async fn() {
    for (
      const [first, second] of [["SIGINT", "SIGINT"], ["SIGHUP", "SIGTERM"], ["SIGTERM", "SIGTERM"]] as const
    ) {
      const saving = await child("saving");
      saving.process.kill(first);
      saving.process.kill(second);
      if (first !== "SIGINT") await wait(600);
      if (first !== "SIGINT") saving.process.kill(second);
      assert.equal((await saving.end()).code, 130, `${first} ${second}: ${saving.output}`);
      assert.match(saving.output, /SIG(INT|HUP|TERM): stopping .*\n.*saved/s);
    }
  },
});

Deno.test({
  name: "--ignore-hangup lets every command outlive its terminal",
  ignore,
  async fn() {
    const without = await child("plain");
    without.process.kill("SIGHUP");
    assert.equal((await without.end(3_000)).signal, "SIGHUP");
    for (const what of ["plain", "saving"]) {
      const going = await child(what, "--ignore-hangup");
      going.process.kill("SIGHUP");
      if (what === "saving") {
        await wait(1000);
        assert.doesNotMatch(going.output, /stopping/);
        going.process.kill("SIGTERM");
      }
      const { code } = await going.end();
      assert.equal(code, what === "saving" ? 130 : 0);
      assert.match(going.output, /done|saved/);
    }
  },
});

Deno.test({
  name: "train: SIGTERM, SIGHUP, SIGUSR2 and SIGXCPU save and exit with status 130",
  ignore,
  async fn() {
    await withFiles({}, async (folder) => {
      const options = ["--run-dir", `${folder}/run`];
      const first = [...quick, "--iterations", "100000", ...options];
      let saved = 0;
      for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR2", "SIGXCPU"] as const) {
        const training = new Watched(start("train", ...saved === 0 ? first : ["--resume", ...options]));
        if (saved === 0) await checkpointsAtLeast(`${folder}/run`, 1);
        else await training.until(/iteration \d+\//);
        training.process.kill(signal);
        assert.equal((await training.end()).code, 130, training.output);
        assert.match(training.output, new RegExp(`^${signal}: stopping`, "m"));
        const [, iteration] = /stopped at iteration (\d+); go on with/.exec(training.output) ?? [];
        assert(Number(iteration) > saved, training.output);
        saved = Number(iteration);
        assert.equal(
          (await checkpoints(`${folder}/run`)).at(-1),
          `${iteration!.padStart(8, "0")}.safetensors`,
        );
      }
    });
  },
});

Deno.test({
  name: "train: a signal during the filling of a large replay buffer ends it, and nothing is left to save",
  ignore,
  async fn() {
    await withFiles({}, async (folder) => {
      const training = new Watched(
        start("train", ...quick, "--set", "bufferSize=300000", "--run-dir", `${folder}/run`),
      );
      await training.until(/filling the replay buffer/);
      training.process.kill("SIGTERM");
      // This takes two seconds on an idle computer.
      assert.equal((await training.end(10_000)).code, 130, training.output);
      assert.match(training.output, /stopped before the first iteration/);
      assert.deepEqual(await checkpoints(`${folder}/run`), []);
      const resumed = await run("train", "--resume", "--run-dir", `${folder}/run`);
      assert.equal(resumed.status, 1);
      assert.match(ownErrors(resumed).join("\n"), /^error: .*checkpoint.*$/);
    });
  },
});
