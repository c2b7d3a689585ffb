import { memoriesIn, nameIn, nameToUse, remembered, rememberedValue, saidName } from "./facts.ts";
import type { Reading } from "./reading.ts";
import { shorten } from "./tell-answer.ts";

type Rule = (reading: Reading) => string | null;

/** What is answered without a tool: the first rule that has something to say. */
export function talk(reading: Reading): string {
  for (const rule of smallTalk) {
    const answer = rule(reading);
    if (answer !== null) return answer;
  }
  return fallback(reading);
}

const smallTalk: readonly Rule[] = [
  ({ question }) => (question === "" ? "You sent no text. Ask me something, or say “help”." : null),
  help,
  recallName,
  recallMemories,
  recallSaid,
  recallThing,
  storeMemory,
  storeName,
  arithmetic,
  greet,
  thanks,
];

function help({ question, tools }: Reading): string | null {
  if (!/^\W*help\b|\bwhat can you do\b|\bhow do you work\b/i.test(question)) return null;
  const names = tools.map(({ name }) => `\`${name}\``).join(", ");
  return [
    "I am the simulated Claude of the demo: rules, no network, no key. Try:",
    "- “who am I”, “what is this channel”, or both in one question",
    "- “last 5 messages”, “what did I miss”, “server stats”, “search for launch”",
    "- “my name is Ada”, then “what is my name”; “remember that the launch is on Friday”, then “what did I ask you to remember”",
    names === "" ? "No tools are offered to me here." : `The tools that I may use here: ${names}.`,
  ].join("\n");
}

function recallName(reading: Reading): string | null {
  if (!/\bwhat(?:'s|’s| is| was) my name\b|\bdo you (?:know|remember) my name\b/i.test(reading.question))
    return null;
  const name = saidName(reading) ?? nameToUse(reading);
  return name === null ? "You have not told me your name yet." : `Your name is ${name}.`;
}

function recallMemories(reading: Reading): string | null {
  if (
    !/\b(?:ask(?:ed)?|told|tell) you to remember\b|\bwhat (?:do|did|should) you remember\b|\bdo you remember\b/i.test(
      reading.question,
    )
  )
    return null;
  const memories = remembered(reading);
  if (memories.length === 0) return "You have not asked me to remember anything yet.";
  return ["You asked me to remember:", ...memories.map((memory) => `- ${memory}`)].join("\n");
}

function recallSaid({ question, said }: Reading): string | null {
  if (
    !/\bwhat (?:did i (?:just )?(?:say|write|ask|tell)|have i said|was my (?:first|last) (?:message|question))\b/i.test(
      question,
    )
  )
    return null;
  if (said.length === 0) return "This is the first thing that you say to me here.";
  const chosen = /\bfirst\b/i.test(question)
    ? said.slice(0, 1)
    : /\b(?:last|just|previous)\b/i.test(question)
      ? said.slice(-1)
      : said.slice(-5);
  return ["You said:", ...chosen.map((words) => `- “${shorten(words)}”`)].join("\n");
}

function recallThing(reading: Reading): string | null {
  const thing = reading.question.match(/\bwhat(?:'s|’s| is| are| was) my ([^?.!]{1,60})/i)?.[1]?.trim();
  if (thing === undefined) return null;
  const value = rememberedValue(reading, thing);
  return value === null ? `You have not told me your ${thing} yet.` : `Your ${thing} is ${value}.`;
}

function storeMemory(reading: Reading): string | null {
  const memories = memoriesIn(reading.question);
  return memories.length === 0
    ? null
    : `${addressed(reading, "I will remember that")}: ${memories.join("; ")}.`;
}

function storeName({ question }: Reading): string | null {
  const name = nameIn(question);
  return name === null ? null : `Nice to meet you, ${name}! I will remember your name.`;
}

function arithmetic({ question }: Reading): string | null {
  const match = question.match(/(-?\d+(?:\.\d+)?)\s*([-+*/x×])\s*(-?\d+(?:\.\d+)?)/);
  if (match === null || !/^\W*(?:what|how much|calculate|compute|-?\d)/i.test(question)) return null;
  const [, left = "0", sign = "+", right = "0"] = match;
  const [a, b] = [Number(left), Number(right)];
  const value = sign === "+" ? a + b : sign === "-" ? a - b : sign === "/" ? a / b : a * b;
  return Number.isFinite(value) ? `${left} ${sign} ${right} = ${value}` : "That cannot be divided.";
}

function greet(reading: Reading): string | null {
  if (
    !/^\W*(?:hi|hello|hey|hallo|bonjour|hola|moin|good (?:morning|afternoon|evening))\b/i.test(
      reading.question,
    )
  )
    return null;
  const name = nameToUse(reading);
  return `Hello${name === null ? "" : `, ${name}`}! What can I do for you? Say “help” to see what I can.`;
}

function thanks(reading: Reading): string | null {
  if (!/^\W*(?:thanks|thank you|thx|danke|merci)\b/i.test(reading.question)) return null;
  return `${addressed(reading, "You are welcome")}!`;
}

function fallback(reading: Reading): string {
  return `${addressed(reading, "I heard you")}: “${shorten(reading.question)}”. As a simulated Claude I only know a few things; say “help” to see them.`;
}

function addressed(reading: Reading, phrase: string): string {
  const name = nameToUse(reading);
  return name === null ? phrase : `${phrase}, ${name}`;
}
