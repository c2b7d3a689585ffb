/** A process of its own for the tests that kill one or take its rights away: `child.ts <what> <database>`. */
import { backupDatabase } from "../../src/memory/backup.ts";
import { DatabaseOpenError } from "../../src/memory/errors.ts";
import { openMemory } from "../../src/memory/memory.ts";
import { restoreDatabase } from "../../src/memory/restore.ts";
import { acquireServeLock } from "../../src/memory/serve-lock.ts";
import { accept, converse, secretKey, usage } from "./helpers.ts";

const [what, path = "", argument = ""] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);

switch (what) {
  case "read-only": {
    // Root may write everything, so the rights are given up first.
    if (process.getuid?.() === 0) {
      process.setgid?.(65534);
      process.setuid?.(65534);
    }
    try {
      openMemory({ path, secretKey });
      say("opened");
    } catch (error) {
      say(error instanceof DatabaseOpenError ? error.problem : String(error));
    }
    break;
  }
  case "write-and-close": {
    using memory = openMemory({ path, secretKey });
    await converse(memory, "kept");
    break;
  }
  case "write-and-die": {
    const memory = openMemory({ path, secretKey });
    await converse(memory, "the first answer", { discordMessageId: "1" });
    const turn = await accept(memory, { discordMessageId: "2", text: "the second question" });
    await memory.turns.begin(turn.id);
    await memory.turns.saveStep(turn.id, {
      step: 1,
      content: [{ type: "tool_use", id: "call", name: "tool", input: { x: 1 } }],
      stopReason: "tool_use",
      usage,
      model: "model",
      sources: [],
    });
    await memory.turns.toolRunning(turn.id, 1, "call");
    process.kill(process.pid, "SIGKILL");
    break;
  }
  case "rotate": {
    const memory = openMemory({ path, secretKey });
    for (let to: number | null = null; ; ) {
      const { finished, key } = await memory.keys.rotate(to, 0);
      to = key;
      say(finished ? "finished" : "a batch");
      if (finished) break;
    }
    break;
  }
  case "backup": {
    if (process.getuid?.() === 0) {
      process.setgid?.(65534);
      process.setuid?.(65534);
    }
    await backupDatabase({ path, to: argument, force: false, secretKeys: [secretKey] }).catch(
      (error: unknown) => say(String(error)),
    );
    break;
  }
  case "open": {
    say("begins");
    openMemory({ path, secretKey: argument });
    say("opened");
    break;
  }
  case "restore": {
    say("begins");
    restoreDatabase({ path, from: argument, secretKey, secretKeyPrevious: null, now: Date.now });
    say("restored");
    break;
  }
  case "hold-lock": {
    acquireServeLock(path);
    say("held");
    await new Promise(() => setInterval(() => {}, 1000));
    break;
  }
}
