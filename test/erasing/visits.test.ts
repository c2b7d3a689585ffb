import { describe, expect, test } from "bun:test";
import { createVisits } from "../../src/erasing/visits.ts";
import { gate } from "../discord/harness.ts";

const ana = { userId: "1", guildId: "10" };
const ben = { userId: "2", guildId: "10" };
const herself = { kind: "user", id: ana.userId } as const;
const patientMs = 10_000;

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("what is done for people", () => {
  test("is waited for once their doors are shut, and others' is not", async () => {
    const visits = createVisits();
    const [hers, his] = [gate(), gate()];
    const visit = visits.run(ana, () => hers.opened);
    const other = visits.run(ben, () => his.opened);
    const shut = visits.shut(herself);
    let isSettled = false;
    const settled = shut.settled(patientMs).then((is) => {
      isSettled = is;
    });
    await turn();
    expect(isSettled).toBe(false);
    hers.open();
    await settled;
    expect(isSettled).toBe(true);
    his.open();
    await Promise.all([visit, other]);
  });

  test("is waited for also when it fails, and not for ever", async () => {
    const visits = createVisits();
    const held = gate();
    const visit = visits.run(ana, async () => {
      await held.opened;
      throw new Error("in vain");
    });
    const shut = visits.shut(herself);
    expect(await shut.settled(1)).toBe(false);
    held.open();
    await expect(visit).rejects.toThrow("in vain");
    expect(await shut.settled(patientMs)).toBe(true);
  });

  test("is refused or waits while they are shut, and is done as soon as they are open again", async () => {
    const visits = createVisits();
    const shut = visits.shut(herself);
    const done: string[] = [];
    const work = (name: string) => async () => void done.push(name);
    await expect(visits.run(ana, work("refused"))).rejects.toMatchObject({ code: "rate_limited" });
    await visits.run(ben, work("his"));
    const later = visits.runLater(ana, work("later"));
    await turn();
    expect(done).toEqual(["his"]);
    shut.open();
    await later;
    await visits.run(ana, work("again"));
    expect(done).toEqual(["his", "later", "again"]);
  });

  test("is shut for all of a server, and stays so until the last of two has opened", async () => {
    const visits = createVisits();
    const server = visits.shut({ kind: "guild", id: "10" });
    const person = visits.shut(herself);
    const enter = (of: typeof ana) => visits.run(of, async () => "in").catch(() => "refused");
    expect(await enter(ben)).toBe("refused");
    server.open();
    expect(await Promise.all([enter(ana), enter(ben)])).toEqual(["refused", "in"]);
    person.open();
    expect(await enter(ana)).toBe("in");
  });
});
