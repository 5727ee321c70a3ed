import { timeSgldSteps } from "./sgld_steps.ts";

const times = await timeSgldSteps(await Deno.readFile(Deno.args[0]!));
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(times)));
