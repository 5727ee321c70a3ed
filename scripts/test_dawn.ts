/** `./run test:dawn`: tests with Dawn in the place of Deno's WebGPU. */

import { type Command, execute } from "../src/cli/command.ts";
import { useDawn } from "../src/cli/dawn/dawn.ts";
import { projectFolder, taskArguments } from "./tasks.ts";

/** What is tested unless files are named: kernels and what is computed by them. */
const files = ["tests/cli/dawn_test.ts", "tests/gpu/", "tests/kernels/", "tests/tensor/", "tests/golden/"];

const command: Command = {
  help: `
Run the tests of kernels, tensors, golden numbers and tasks on Dawn, the WebGPU of Chromium. It needs a GPU or
Mesa 25.

Usage: ./run test:dawn [FILE or option of deno test ...]

  FILE         a file or folder of tests/, from the project's folder, instead of all of these
  --filter X   only tests whose name has X

  --help       show this text
`,
  async run(args) {
    await useDawn();
    // Here rather than once in each file.
    await navigator.gpu.requestAdapter();
    const flags = taskArguments("test").slice(0, -1).filter((flag) => !/^--allow-(net|sys)/.test(flag));
    const tested = args.some((arg) => arg.startsWith("tests/")) ? [] : files;
    const { code } = await new Deno.Command("deno", {
      args: [...flags, "--allow-ffi", "--preload=tests/dawn.ts", ...args, ...tested],
      cwd: projectFolder,
    }).spawn().status;
    return code;
  },
};

await execute(command);
