import { fileURLToPath } from "node:url";
import type { BunPlugin } from "bun";

const root = new URL("../..", import.meta.url);
const nobody = "throw new Error('this executable is without the Model Context Protocol')";

/** What stands in for the modules by which everything of the protocol comes in. */
const stubs: Readonly<Record<string, string>> = {
  "src/mcp/server.ts": "export const createMcp = () => ({});",
  "src/mcp/callers.ts": "export const placeOf = () => ({});",
  "src/mcp/channel.ts": `export const serveChannel = () => { ${nobody} };`,
  "src/mcp/conformance/fixtures.ts": "export const conformanceFixtures = () => ({});",
  "src/http/mcp-endpoint.ts": `export const createMcpEndpoint = () => ({
    serve() { ${nobody} }, inFlight: 0, async closeInvalid() {}, async close() {},
  });`,
};

const without: BunPlugin = {
  name: "without the Model Context Protocol",
  setup(build) {
    for (const [path, contents] of Object.entries(stubs))
      build.onLoad({ filter: new RegExp(`/${path.replaceAll(".", "\\.")}$`) }, () => ({
        contents,
        loader: "ts",
      }));
    build.onLoad({ filter: /@modelcontextprotocol\/server/ }, ({ path }) => {
      throw new Error(`${path} is still in the executable that is to be without it`);
    });
  },
};

/** Builds the executable as the product is built, with the Model Context Protocol or without. */
export async function buildVariant(outfile: string, hasMcp: boolean): Promise<void> {
  await Bun.build({
    entrypoints: [fileURLToPath(new URL("src/main.ts", root))],
    compile: { outfile, autoloadBunfig: false },
    minify: true,
    sourcemap: "inline",
    bytecode: true,
    format: "esm",
    plugins: hasMcp ? [] : [without],
  });
}
