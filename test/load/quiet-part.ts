import { partArgs, servePart, textOf } from "../bench/parts.ts";
import { Program } from "./program.ts";

/** A program that asks one thing after the other, in a process of its own, and notes how long each takes. */
const args = partArgs();
const program = await Program.open(textOf(args, "url"), textOf(args, "token"));
await program.initialize(JSON.parse(textOf(args, "place")));
/** A little less than what a token may ask. */
const pauseMs = 60;

servePart(
  {},
  {
    async measure({ ms }) {
      const until = performance.now() + Number(ms);
      const took: number[] = [];
      let refused = 0;
      while (performance.now() < until) {
        const began = performance.now();
        const reply = await program.recall();
        took.push(performance.now() - began);
        if (reply.type === "error") refused++;
        await Bun.sleep(pauseMs);
      }
      took.sort((a, b) => a - b);
      const at = (share: number) => took[Math.floor((took.length - 1) * share)] ?? Number.NaN;
      return { asked: took.length, refused, median: at(0.5), p99: at(0.99), longest: at(1) };
    },
  },
);
