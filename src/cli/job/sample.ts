import { sampleCommand } from "../sample.ts";
import { executeInJob } from "./command.ts";

if (import.meta.main) await executeInJob("sample", sampleCommand);
