import { type Brain, type Reply, type ReplyBlock, text, toolSearch, toolUse } from "../reply.ts";
import { nameToUse } from "./facts.ts";
import { type PlannedCall, planCalls } from "./plan-calls.ts";
import { type Reading, readRequest, type ToolAnswer } from "./reading.ts";
import { talk } from "./small-talk.ts";
import { summarise, wantsSummary } from "./summarise.ts";
import { tellAnswer } from "./tell-answer.ts";

/**
 * Answers by rules, the same request always with the same words: calls the tools that a question asks for,
 * tells what they found, and remembers what stands in the messages. So that the demo works without a key.
 */
export const demoBrain: Brain = (request) => {
  const reading = readRequest(request);
  if (wantsSummary(reading, request)) return { blocks: [text(summarise(request))] };
  const hasSearched = reading.answers.length > 0 && reading.answers.every(isSearch);
  return reading.answers.length > 0 && !hasSearched ? tellAnswers(reading) : answer(reading, hasSearched);
};

/** A tool of the client's that finds others, for models that cannot search by themselves. */
const finder = "discord_tools_find";
const isSearch = ({ toolName }: ToolAnswer): boolean => toolName === finder;

function tellAnswers(reading: Reading): Reply {
  const name = nameToUse(reading);
  const parts = reading.answers.map(tellAnswer);
  return { blocks: [text([...(name === null ? [] : [`Here you are, ${name}.`]), ...parts].join("\n\n"))] };
}

function answer(reading: Reading, hasSearched: boolean): Reply {
  const { calls, missing } = planCalls(reading);
  if (calls.length > 0)
    return {
      blocks: [
        text("Let me look that up."),
        ...searchesFor(calls, reading),
        ...calls.map(({ name, input }) => toolUse(name, input)),
      ],
    };
  if (missing.length > 0 && !hasSearched && reading.tools.some(({ name }) => name === finder))
    return { blocks: missing.map((name) => toolUse(finder, { query: wordsIn(name) })) };
  if (missing.length > 0) {
    const names = [...new Set(missing)].map((name) => `\`${name}\``).join(" and ");
    return {
      blocks: [
        text(
          `I would need ${names} for that, and cannot use it here: it is not offered to me, or I do not know the id to ask for.`,
        ),
      ],
    };
  }
  return { blocks: [text(talk(reading))] };
}

/** A deferred tool is searched for before it is called for the first time. */
function searchesFor(calls: readonly PlannedCall[], { unloaded }: Reading): readonly ReplyBlock[] {
  const names = new Set(calls.map(({ name }) => name).filter((name) => unloaded.has(name)));
  return [...names].map((name) => toolSearch(wordsIn(name)));
}

const wordsIn = (name: string): string => name.replace(/^discord_/, "").replaceAll("_", " ");
