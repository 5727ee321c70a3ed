/** The examples, run by the commands in their first comments. */

import assert from "node:assert/strict";
import { decode } from "fast-png";
import { pages } from "../../scripts/examples.ts";
import { projectFolder, taskCommands } from "../../scripts/tasks.ts";
import { readModelFile, replayImages } from "../../src/mod.ts";
import { withProjectCopy } from "../project_copy.ts";
import { command, nodeProblem, npmProblem } from "./npm.ts";

/** The commands in a module's first comment. They are on lines of their own, indented further than the sentences. */
function commandsOf(text: string): string[] {
  const [head = ""] = /^(?:\/\/\/.*\n)?(?:(?:\/\/.*\n)+|\/\*\*[^]*?\*\/)/.exec(text) ?? [];
  return [...head.matchAll(/^(?: \*|\/\/) {5}((?:\.\/run|deno|node|npm) .*)$/gm)].map(([, line]) => line!);
}

const modules = new Map<string, string>();
for await (const { name } of Deno.readDir(`${projectFolder}examples`)) {
  if (name.endsWith(".ts")) modules.set(name, await Deno.readTextFile(`${projectFolder}examples/${name}`));
}
const imported = [...modules.values()].flatMap((text) =>
  [...text.matchAll(/ from "\.\/(.+)"/g)].map(([, name]) => name)
);
/** The commands of every example that is itself a program. */
const commands = new Map(
  [...modules].filter(([name]) => !imported.includes(name)).map(([name, text]) => [name, commandsOf(text)]),
);

/** Splits a command at its spaces. No command has quotes. */
function words(line: string): [program: string, ...args: string[]] {
  assert.doesNotMatch(line, /["'\\$;|&]/);
  return line.split(" ") as [string, ...string[]];
}

Deno.test("every example has a command at its top that runs it, with no more permissions than it names", () => {
  assert(commands.size > 7);
  for (const [name, [first, ...others]] of commands) {
    if (Object.values(pages).some((page) => name === `${page}.ts`)) {
      assert.equal(first, "./run build", name);
      continue;
    }
    assert.match(first ?? "", RegExp(`^deno run (--allow-(read|write)=\\S+ )*examples/${name}$`));
    for (const line of others) assert.match(line, /^(\.\/run|npm install|node) /);
  }
  assert(taskCommands.has("build"));
});

Deno.test("commandsOf() takes the lines of the first comment that stand further in", () => {
  assert.deepEqual(commandsOf("// One. To run it:\n//     deno run a.ts\n\n//     deno run b.ts\n"), [
    "deno run a.ts",
  ]);
  assert.deepEqual(
    commandsOf('/// <reference lib="dom" />\n/**\n * One.\n *\n *     ./run build\n */\n'),
    [
      "./run build",
    ],
  );
  assert.deepEqual(commandsOf("import x;\n//     deno run a.ts\n"), []);
});

/** What each example prints, and further checks of what it wrote. `more` follows the command. */
const expectations: Readonly<
  Record<
    string,
    { more?: string; prints: RegExp; check?: (found: RegExpExecArray, folder: string) => unknown }
  >
> = {
  "convolution.ts": { prints: /^derivative by x 3, by y 5\n$/ },
  "kernels.ts": { prints: /^the centre's four channels: 36 36 36 136\n$/ },
  "library.ts": {
    prints: /^it reads 6 7 1 0 5 6 0 9 4 3\nlog density (-?[\d.]+) → (-?[\d.]+)\n$/,
    check: ([, before, after]) => assert(Number(after) > Number(before) + 1),
  },
  "restore.ts": {
    prints: /^noisy: (error .*)\ncut: (error .*)\n$/,
    async check([, ...lines], folder) {
      for (const line of lines) {
        const [before, after] = [...line.matchAll(/error ([\d.]+), (\d+) of 20/g)].map((
          [, error, right],
        ) => ({ error: Number(error), right: Number(right) }));
        assert(after!.error < 0.9 * before!.error && after!.right > before!.right, line);
      }
      assert.deepEqual(await sizeOf(`${folder}restored.png`), [20 * 34 + 2, 5 * 34 + 2]);
    },
  },
  "sample.ts": {
    prints: /^a hundred images of mean energy (-[\d.]+) in samples\.png\n$/,
    check: checkSamples,
  },
  "train.ts": {
    more: "20",
    prints: /^20: loss [\d.]+, E\(real\) -[\d.]+, E\(generated\) -[\d.]+, test accuracy ([\d.]+) %\n$/,
    async check([, accuracy], folder) {
      // Chance is 10 %, and the full number of iterations reaches 95 %.
      assert(Number(accuracy) > 40, accuracy);
      assert.deepEqual(await sizeOf(`${folder}samples.png`), [342, 342]);
      const model = await readModelFile(await Deno.readFile(`${folder}jem.safetensors`));
      assert.deepEqual(replayImages(model).shape, [1000, 8, 8, 1]);
      assert.equal(model.configuration.depth, 10);
    },
  },
};

async function sizeOf(path: string): Promise<[width: number, height: number]> {
  const { width, height } = decode(await Deno.readFile(path));
  return [width, height];
}

/** The replay buffer of the bundled model has a mean energy of about −4.2. */
async function checkSamples([, energy]: RegExpExecArray, folder: string): Promise<void> {
  assert(Math.abs(Number(energy) + 4.2) < 0.3, energy);
  assert.deepEqual(await sizeOf(`${folder}samples.png`), [342, 342]);
}

Deno.test("each example runs by its command, and writes what it says", async (t) => {
  const programs = [...commands].filter(([, [first]]) => first?.startsWith("deno run "));
  assert.deepEqual(programs.map(([name]) => name).sort(), Object.keys(expectations).sort());
  await withProjectCopy("examples", async (folder) => {
    const lock = await Deno.readTextFile(`${folder}deno.lock`);
    for (const [name, [line]] of programs) {
      const { more, prints, check } = expectations[name]!;
      await t.step(line!, async () => {
        const args = [...words(line!).slice(1), ...more ? [more] : []];
        const found = prints.exec(await command(Deno.execPath(), args, folder));
        assert(found, "it printed something else");
        await check?.(found, folder);
      });
    }
    assert.equal(await Deno.readTextFile(`${folder}deno.lock`), lock, "a command has changed deno.lock");
  });
});

const noNode = await nodeProblem(22) ?? await npmProblem();

Deno.test({
  name: `examples/sample.ts runs in Node by its commands${noNode ? ` (skipped: ${noNode})` : ""}`,
  ignore: noNode !== undefined,
  fn: () =>
    withProjectCopy("node", async (folder) => {
      const [, ...lines] = commands.get("sample.ts")!;
      const [run, ...before] = lines.toReversed();
      for (const line of before.toReversed()) {
        const [program, ...args] = words(line);
        if (program === "./run") await command(Deno.execPath(), ["task", ...args], folder);
        else await command(program, args, folder);
      }
      const [program, ...args] = words(run!);
      const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd: folder }).output();
      const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      if (code === 1) return assert.match(errors!, /^error: no WebGPU adapter: .*$/m);
      const { prints } = expectations["sample.ts"]!;
      const found = prints.exec(output!);
      assert(found, `${output}\n${errors}`);
      await checkSamples(found, folder);
    }),
});
