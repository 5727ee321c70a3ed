import { escapedLines } from "../formats/text.ts";

/** Text made safe for an HTML document, including attributes. */
export function escapeHtml(text: string): string {
  return escapedLines(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
