import { Type } from "typebox";
import { defineTool } from "../../src/tools/tool.ts";

/** Gives its argument back, and does nothing. */
export const noop = defineTool({
  name: "noop",
  title: "Nothing",
  description: "Does nothing.",
  family: "server",
  kind: "read",
  repeatable: true,
  input: Type.Object({ text: Type.String() }, { additionalProperties: false }),
  output: Type.Object({ text: Type.String() }),
  targets: {},
  run: async ({ text }) => ({ value: { text }, sources: [] }),
});
