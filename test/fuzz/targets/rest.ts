import fc from "fast-check";
import { allTools } from "../../../src/tools/all.ts";
import { DEMO, startWorld, type ToolWorld } from "../../tools/world.ts";
import { holds, isDocumented } from "../holds.ts";
import { mutated } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

const { users, channels, roles } = DEMO;
const general = { channel_id: channels.general };

/** Reading and writing, by each of the reader's methods and many of the writer's. */
const calls: readonly (readonly [toolName: string, input: object])[] = [
  ["discord_channel_info", general],
  ["discord_channels_list", {}],
  ["discord_user_lookup", { user_id: users.ben }],
  ["discord_member_info", { user_id: users.ben }],
  ["discord_members_search", { query: "b" }],
  ["discord_message_history", { limit: 5 }],
  ["discord_messages_search", { content: "tide" }],
  ["discord_pins_list", {}],
  ["discord_roles_list", {}],
  ["discord_role_info", { role_id: roles.crew }],
  ["discord_bans_list", {}],
  ["discord_audit_log", {}],
  ["discord_server_stats", {}],
  ["discord_threads_list", {}],
  ["discord_forum_posts_list", { channel_id: channels.forum }],
  ["discord_forum_post_read", { channel_id: channels.post }],
  ["discord_permissions_explain", { permission: "Send Messages", user_id: users.ben }],
  ["discord_message_send", { content: "Ahoy" }],
  ["discord_thread_create", { name: "a thread" }],
  ["discord_channel_create", { name: "dock" }],
  ["discord_role_create", { name: "Rowers" }],
  ["discord_user_message", { content: "Ahoy" }],
  ["discord_member_nickname", { user_id: users.ben, nickname: "B" }],
];

interface Answered {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** What Discord answered to each of them. */
async function recorded(world: ToolWorld): Promise<readonly (readonly Answered[])[]> {
  const all: Answered[][] = [];
  for (const [toolName, input] of calls) {
    const answered: Answered[] = [];
    const stop = world.simulator.onExchange(({ method, path, status, response }) => {
      if (status === 200 || status === 201) answered.push({ method, path, body: response });
    });
    await world.call(toolName, input);
    stop();
    all.push(answered);
  }
  return all;
}

const exactly = (path: string): RegExp => new RegExp(`^${path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
const perWorld = 100;

/** A world whose answers are spoilt breaks Discord's description, which is not to fail what is tried. */
async function close(world: ToolWorld | null): Promise<void> {
  try {
    await world?.[Symbol.asyncDispose]();
  } catch {
    // So it is.
  }
}

export const rest = target(
  "rest",
  "whatever Discord answers, it is a result as its tool describes it, or a refusal with a documented code",
  40,
  async () => {
    const rejections = new Rejections();
    let world = await startWorld({ tools: allTools });
    const answers = await recorded(world);
    let n = 0;
    return {
      inputs: fc.nat({ max: calls.length - 1 }).chain((at) => {
        const answered = answers[at] ?? [];
        return fc.record({
          at: fc.constant(at),
          spoilt: fc.nat({ max: Math.max(0, answered.length - 1) }).chain((which) => {
            const { method = "GET", path = "/", body = null } = answered[which] ?? {};
            return fc.record({ method: fc.constant(method), path: fc.constant(path), body: mutated([body]) });
          }),
        });
      }),
      async check({ at, spoilt: { method, path, body } }) {
        n += 1;
        if (n % perWorld === 0) {
          await close(world);
          world = await startWorld({ tools: allTools });
        }
        world.simulator.faults.rest({ method, path: exactly(path), respond: 200, body, times: 5 });
        const [toolName, input] = calls[at] ?? ["", {}];
        const outcome = await world.call(toolName, input);
        world.simulator.faults.clear();
        rejections.check();
        if (outcome.kind === "done" || outcome.kind === "asked") return outcome.kind;
        holds(isDocumented(outcome.code), `${outcome.kind} with ${outcome.code}: ${outcome.text}`);
        return String(outcome.code);
      },
      async [Symbol.asyncDispose]() {
        await close(world);
        rejections[Symbol.dispose]();
      },
    };
  },
);
