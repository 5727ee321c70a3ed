import { escapedLines } from "../formats/text.ts";

/** Text as it may stand in an HTML document, also in an attribute. */
export function escapeHtml(text: string): string {
  return escapedLines(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
