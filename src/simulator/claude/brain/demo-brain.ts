import { type Brain, type Reply, text, toolUse } from "../reply.ts";
import { nameToUse } from "./facts.ts";
import { planCalls } from "./plan-calls.ts";
import { type Reading, readRequest } from "./reading.ts";
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
  return reading.answers.length > 0 ? tellAnswers(reading) : answer(reading);
};

function tellAnswers(reading: Reading): Reply {
  const name = nameToUse(reading);
  const parts = reading.answers.map(tellAnswer);
  return { blocks: [text([...(name === null ? [] : [`Here you are, ${name}.`]), ...parts].join("\n\n"))] };
}

function answer(reading: Reading): Reply {
  const { calls, missing } = planCalls(reading);
  if (calls.length > 0)
    return {
      blocks: [text("Let me look that up."), ...calls.map(({ name, input }) => toolUse(name, input))],
    };
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
