import { text } from "../../src/simulator/claude/reply.ts";
import { startClaudeSimulator } from "../../src/simulator/claude/simulator.ts";
import { startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { numberOf, partArgs, servePart } from "../bench/parts.ts";
import { chaosWorld } from "../chaos/world.ts";

/** The simulated Discord and a slow Claude, in a process of their own: it answers when it is told to. */
const discord = await startDiscordSimulator({
  seed: chaosWorld(numberOf(partArgs(), "people")),
  rateLimits: "off",
  requestLog: 10,
});
let gate = Promise.withResolvers<void>();
gate.resolve();
let waiting = 0;
let watched = { count: 0, reached: () => {} };
const claude = await startClaudeSimulator({
  brain: async () => {
    waiting++;
    if (waiting === watched.count) watched.reached();
    await gate.promise;
    waiting--;
    return { blocks: [text("An answer that was long in coming.")] };
  },
});

servePart(
  {
    discordUrl: discord.apiUrl,
    discordToken: discord.token,
    claudeUrl: claude.baseUrl,
    claudeKey: claude.apiKey,
  },
  {
    hold() {
      gate = Promise.withResolvers();
      return {};
    },
    /** Answers once so many requests wait at the same time. */
    async waiting({ count }) {
      const reached = Promise.withResolvers<void>();
      watched = { count: Number(count), reached: reached.resolve };
      if (waiting < watched.count) await reached.promise;
      return { waiting };
    },
    release() {
      gate.resolve();
      return {};
    },
  },
);
