import { ChannelType } from "discord-api-types/v10";
import type { OfferedTool } from "../agent/ports.ts";
import { argumentsParser } from "./arguments.ts";
import { plainSchema } from "./plain-schema.ts";
import type { TargetSpec } from "./targets.ts";
import type { Family, Tool } from "./tool.ts";

export interface ToolInfo {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly kind: Tool["kind"];
  readonly family: Family;
  readonly repeatable: boolean;
  /** JSON Schema of the arguments. */
  readonly parameters: unknown;
  /** JSON Schema of what a call that is done results in, cut or not. */
  readonly output: unknown;
}

/** A tool with what is made of it once. */
export interface Registered {
  readonly tool: Tool;
  readonly info: ToolInfo;
  readonly offered: OfferedTool;
  readonly parse: ReturnType<typeof argumentsParser>;
  /** It makes sense in servers alone. */
  readonly needsGuild: boolean;
}

/** Throws for a tool that is not fit to be offered. */
export function register(tool: Tool): Registered {
  const { name, title, description, kind, family, repeatable } = tool;
  // https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use#specifying-client-tools
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) throw new Error(`${name} is no name for a tool.`);
  const parameters = plainSchema(tool.input);
  const output: unknown = JSON.parse(JSON.stringify(tool.output));
  if (parameters.additionalProperties !== false)
    throw new Error(`The arguments of ${name} must refuse unknown properties.`);
  const known = Object.keys(tool.input.properties);
  for (const [target, { argument }] of Object.entries(tool.targets)) {
    if (argument !== null && !known.includes(argument))
      throw new Error(`${name} has no argument ${argument}, which its target ${target} goes by.`);
  }
  return {
    tool,
    info: { name, title, description, kind, family, repeatable, parameters, output },
    offered: {
      definition: { name, description, input_schema: parameters },
      isCore: tool.isCore ?? false,
      ...(tool.isFinder ? { isFinder: true } : {}),
    },
    parse: argumentsParser(name, tool.input),
    needsGuild: isOfServers(tool),
  };
}

/** Whether something that it always needs is in servers only. */
function isOfServers({ targets }: Tool): boolean {
  return Object.values(targets).some((spec: TargetSpec) => {
    if ("absent" in spec && spec.absent === "none") return false;
    if (spec.kind === "channel") return spec.types?.every((type) => !direct.includes(type)) ?? false;
    return spec.kind === "guild" || spec.kind === "member" || spec.kind === "role";
  });
}

const direct: readonly ChannelType[] = [ChannelType.DM, ChannelType.GroupDM];
