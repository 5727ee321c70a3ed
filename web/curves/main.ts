/// <reference lib="dom" />
import { drawEmbedded } from "./embedded.ts";
import { watchRuns } from "./watch.ts";

// A page either carries curves or watches runs.
drawEmbedded();
if (document.getElementById("runs")) void watchRuns();
