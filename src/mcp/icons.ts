import type { Icon } from "@modelcontextprotocol/server";

/**
 * Drawn with one path each, for light and for dark surroundings. The server has them and the prompts, which clients
 * show to people in menus; tools have none, since a model that reads the list would have sixty pictures to pass over.
 */
function drawn(path: string): Icon[] {
  return (["light", "dark"] as const).map((theme) => {
    const color = theme === "light" ? "#222" : "#eee";
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round"><path d="${path}"/></svg>`;
    return {
      src: `data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`,
      mimeType: "image/svg+xml",
      sizes: ["any"],
      theme,
    };
  });
}

/** Two speech bubbles. */
export const serverIcons = drawn("M3 4h13v9H9l-4 4v-4H3zM19 9h2v8h-2v4l-4-4h-4");
/** Lines of text in a bubble. */
export const promptIcons = drawn("M3 4h18v13H11l-5 4v-4H3zM7 8h10M7 12h6");
