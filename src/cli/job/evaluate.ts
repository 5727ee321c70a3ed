import { evaluateCommand } from "../evaluate.ts";
import { executeInJob } from "./command.ts";

if (import.meta.main) await executeInJob("evaluate", evaluateCommand);
