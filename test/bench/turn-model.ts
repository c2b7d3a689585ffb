import { text } from "../../src/simulator/claude/reply.ts";
import { startClaudeSimulator } from "../../src/simulator/claude/simulator.ts";
import { partArgs, servePart, textOf } from "./parts.ts";

/** The simulated Claude, in a process of its own, with one answer for everything. */
const answer = textOf(partArgs(), "answer");
const claude = await startClaudeSimulator({ brain: () => ({ blocks: [text(answer)] }) });
servePart({ baseUrl: claude.baseUrl, apiKey: claude.apiKey }, {});
