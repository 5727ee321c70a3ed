/// <reference lib="dom" />
import { drawEmbedded } from "./embedded.ts";

drawEmbedded();
