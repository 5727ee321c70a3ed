import { trainCommand } from "../train.ts";
import { executeInJob } from "./command.ts";

if (import.meta.main) await executeInJob("train", trainCommand);
