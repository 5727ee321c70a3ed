/**
 * Import this first. zod compiles its checks if it may, and tries whether it may, which the page's policy refuses and
 * reports.
 */

import * as z from "zod";

z.config({ jitless: true });
