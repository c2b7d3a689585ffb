import fc from "fast-check";
import { allTools } from "../../../src/tools/all.ts";
import { DEMO, startWorld, type ToolWorld } from "../../tools/world.ts";
import { holds, isDocumented } from "../holds.ts";
import { mutated } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";
import { inputsOf, othersMessage, ownMessage } from "../tool-inputs.ts";

const { users, channels, guildId } = DEMO;

/** Calls of one world: tools change it, and in time nothing would be left of it. */
const perWorld = 40;

interface Messages {
  readonly others: string;
  readonly own: string;
}

/** One of each in #general. */
async function messagesOf({ simulator, done }: ToolWorld): Promise<Messages> {
  const { id: others } = simulator.say({ userId: users.ana, channelId: channels.general, content: "Ahoy" });
  await done("discord_message_send", { channel_id: channels.general, content: "mine" });
  const own = simulator.world.messages.in(channels.general).find(({ content }) => content === "mine");
  return { others, own: own?.id ?? "" };
}

const named = (input: unknown, { others, own }: Messages): unknown =>
  JSON.parse((JSON.stringify(input) ?? "null").replaceAll(othersMessage, others).replaceAll(ownMessage, own));

export const tools = target(
  "tools",
  "whatever its arguments, each tool gives its result or says what is wrong, and asks Discord for nothing that it does not know",
  100,
  () => {
    const rejections = new Rejections();
    let world: ToolWorld | null = null;
    let calls = 0;
    let messages: Messages = { others: "", own: "" };
    const calling = fc.constantFrom(...allTools).chain((tool) => {
      const fitting = inputsOf(tool.input);
      const input = fc.oneof(
        fitting,
        fitting,
        fitting.chain((value) => mutated([value], 3)),
      );
      return fc.record({ toolName: fc.constant(tool.name), input });
    });
    const who = fc.record({
      as: fc.constantFrom(
        users.owner,
        users.owner,
        users.moderator,
        users.ana,
        users.ben,
        "300000000000000099",
      ),
      channel: fc.constantFrom(channels.general, channels.general, channels.thread, channels.staff),
      guild: fc.constantFrom(...Array.from({ length: 9 }, () => guildId), null),
      approve: fc.constantFrom(true, true, true, false),
    });
    return {
      inputs: fc.record({ call: calling, who }),
      async check({ call: { toolName, input }, who: by }) {
        if (calls % perWorld === 0) {
          await world?.[Symbol.asyncDispose]();
          world = await startWorld({ tools: allTools });
          messages = await messagesOf(world);
        }
        calls += 1;
        const outcome = await world?.call(toolName, named(input, messages), by);
        rejections.check();
        if (outcome === undefined || outcome.kind === "done" || outcome.kind === "asked")
          return outcome?.kind ?? "nothing";
        holds(isDocumented(outcome.code), `${outcome.kind} with ${outcome.code}: ${outcome.text}`);
        holds(
          outcome.text.length > 0 && outcome.text.length < 5000,
          `a text of ${outcome.text.length} characters`,
        );
        holds(outcome.text.isWellFormed(), "a text with half a character");
        return String(outcome.code);
      },
      async [Symbol.asyncDispose]() {
        await world?.[Symbol.asyncDispose]();
        rejections[Symbol.dispose]();
      },
    };
  },
);
