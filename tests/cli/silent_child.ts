/** Prints in every possible way while silenced, and then prints an error line. */

import { print, printError, printFailure, silence } from "../../src/cli/command.ts";
import { LiveLine } from "../../src/cli/live_line.ts";

silence();
print("output");
printError("warning");
const line = new LiveLine();
line.update("progress");
line.note("note");
line.clear();
printFailure("failure");
