import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { APIMessage } from "discord-api-types/v10";
import { Service, type ServiceOptions } from "./service.ts";
import { channels, mention, users } from "./surroundings.ts";

setDefaultTimeout(60_000);

let service: Service;
/** The model answers each question with its number, however often it is asked. */
async function serve(options: ServiceOptions = {}): Promise<Service> {
  service = await Service.start({
    ...options,
    env: { RATE_LIMIT_USER: "1000/60", ...options.env },
    claude: {
      brain: ({ messages }) => {
        const asked = JSON.stringify(messages.at(-1)).match(/question (\d+)/)?.[1] ?? "?";
        return { blocks: [{ type: "text", text: `Answer ${asked}.` }] };
      },
    },
  });
  return service;
}
afterEach(() => expect(service.contract.violations).toEqual([]));

/** Asks, and keeps book of who is owed an answer. */
class Asker {
  readonly asked: APIMessage[] = [];
  readonly #at: Service;

  constructor(at: Service) {
    this.#at = at;
  }

  ask(userId: string = users.ana, channelId: string = channels.general): void {
    this.asked.push(this.#at.say(`${mention} question ${this.asked.length}`, { userId, channelId }));
  }

  /** Everyone has exactly the answer that belongs to the question. */
  async settle(): Promise<void> {
    await Promise.all(this.asked.map((message) => this.#at.replyTo(message)));
    // Intake and posts are in order in each channel: once this is answered, what would be said twice has been said.
    const latest = new Map(this.asked.map((message) => [message.channel_id, message.author.id]));
    for (const [channelId, userId] of latest) {
      this.ask(userId, channelId);
      await this.#at.replyTo(this.asked.at(-1) ?? { id: "" });
    }
    const given = [...latest.keys()].flatMap((channelId) =>
      this.#at
        .posted(channelId)
        .map(({ message_reference, content }) => [message_reference?.message_id, content] as const),
    );
    const owed = this.asked.map(({ id }, index) => [id, `Answer ${index}.`] as const);
    expect(given.toSorted()).toEqual(owed.toSorted());
    expect(this.#at.asked).toHaveLength(owed.length);
  }
}

describe("trouble of the gateway: nothing lost, nothing twice", () => {
  test("closed, cut, told to reconnect, session invalid but resumable: resumes, in the midst of questions", async () => {
    await using at = await serve();
    const asker = new Asker(at);
    const { gateway } = at.discord.faults;
    const troubles = [
      () => gateway.disconnectAll(),
      () => gateway.dropWithoutClose(),
      () => gateway.requestReconnect(),
      () => gateway.invalidSession(true),
    ];
    for (const trouble of troubles) {
      const since = at.discord.mark();
      asker.ask();
      trouble();
      asker.ask(users.ben);
      await at.discord.waitForResume({ since, timeoutMs: 15_000 });
      asker.ask(users.ana, channels.help);
    }
    await asker.settle();
    expect(at.discord.gatewayNotes.filter(({ kind }) => kind === "identify")).toHaveLength(1);
  });

  test("while answers are on their way", async () => {
    await using at = await serve();
    const asker = new Asker(at);
    const release = at.claude.hold();
    for (const userId of [users.ana, users.ben, users.moderator]) asker.ask(userId);
    await at.untilAsked(3);
    const since = at.discord.mark();
    at.discord.faults.gateway.dropWithoutClose();
    release();
    await at.discord.waitForResume({ since, timeoutMs: 15_000 });
    await asker.settle();
  });

  test("dispatches that come twice, late, or in another order", async () => {
    await using at = await serve();
    const asker = new Asker(at);
    const { gateway } = at.discord.faults;
    gateway.duplicateNext(6);
    asker.ask();
    asker.ask(users.ben);
    await at.replyTo(asker.asked[1] ?? { id: "" });
    const release = gateway.holdDispatches();
    for (const userId of [users.ana, users.ben, users.ana, users.moderator]) asker.ask(userId);
    release();
    gateway.reorderNext(2);
    asker.ask(users.ana, channels.help);
    asker.ask(users.ben, channels.help);
    await asker.settle();
  });

  test("the session is gone: a new one, and what was said meanwhile is read from the channels", async () => {
    await using at = await serve();
    const asker = new Asker(at);
    const direct = at.discord.openDirectMessage(users.ben);
    asker.ask();
    asker.ask(users.ben, direct);
    await at.replyTo(asker.asked[1] ?? { id: "" });
    const since = at.discord.mark();
    const { gateway } = at.discord.faults;
    const admit = gateway.refuseConnections();
    gateway.forgetSessions();
    gateway.dropWithoutClose();
    asker.ask();
    asker.ask(users.ben, direct);
    at.say("Talk among people.", { userId: users.ben });
    asker.ask(users.moderator, channels.staff);
    admit();
    await at.discord.waitForReady({ since, timeoutMs: 30_000 });
    asker.ask(users.ana);
    await asker.settle();
  });
});
