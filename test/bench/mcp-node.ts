import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Facts, type Part, startPart } from "./parts.ts";

/**
 * The official server on Node. Bundled, since this Node may read no TypeScript; the
 * packages are otherwise as they are.
 */
export async function startOfficial(folder: string, args: Facts = {}): Promise<Part> {
  const node = Bun.which("node");
  if (node === null) throw new Error("there is no node on this machine, which runs the official server");
  const { outputs } = await Bun.build({
    entrypoints: [fileURLToPath(new URL("./mcp-official.ts", import.meta.url))],
    target: "node",
    outdir: folder,
    naming: "[name].mjs",
  });
  if (outputs.length !== 1) throw new Error("the official server was not bundled");
  return startPart(pathToFileURL(join(folder, "mcp-official.mjs")), args, [node, "--expose-gc"]);
}
