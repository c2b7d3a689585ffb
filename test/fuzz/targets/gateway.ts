import {
  GatewayDispatchEvents as Events,
  type GatewayDispatchPayload,
  GatewayOpcodes,
} from "discord-api-types/v10";
import fc from "fast-check";
import { isPromised } from "../../../src/discord/gateway/promised-dispatches.ts";
import { channels, mention, Rig, users } from "../../discord/harness.ts";
import { recordGateway } from "../gateway-recording.ts";
import { mutated } from "../mutate.ts";
import { Rejections } from "../rejections.ts";
import { target } from "../target.ts";

/** With others of their type. */
const unknown = ["NEW_EVENT", "", "__proto__", "message_create"];

const asSent = (t: string, d: unknown): GatewayDispatchPayload =>
  JSON.parse(JSON.stringify({ op: GatewayOpcodes.Dispatch, s: 1, t, d }));
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

export const gateway = target(
  "gateway",
  "whatever Discord's gateway sends, nothing is thrown past it and the next message is answered",
  40,
  async () => {
    const recorded = await recordGateway();
    const rejections = new Rejections();
    const env = { RATE_LIMIT_USER: "1000000/1", RATE_LIMIT_GUILD: "1000000/1", TURN_QUEUE: "2" };
    const timing = { readsPerSecond: Number.POSITIVE_INFINITY, writesPerSecond: Number.POSITIVE_INFINITY };
    const rig = await Rig.start({ env, timing, simulator: { requestLog: 10 } });
    const types = [...new Set(recorded.map(({ t }) => t)), ...unknown];
    const one = fc.nat({ max: recorded.length - 1 }).chain((at) => {
      const { t, d } = recorded[at] ?? { t: "", d: null };
      return fc.record({
        t: fc.oneof({ arbitrary: fc.constant(t), weight: 9 }, fc.constantFrom(...types)),
        d: mutated([d]),
      });
    });
    let n = 0;
    return {
      // What the client library itself reads of READY is its own.
      inputs: fc.array(
        one.filter(({ t, d }) => t !== Events.Ready || isObject(d)),
        { minLength: 1, maxLength: 6 },
      ),
      async check(dispatches) {
        for (const { t, d } of dispatches) rig.sim.faults.gateway.deliver(t, d);
        n += 1;
        const asked = rig.say(`${mention} ${n}`, { userId: users.moderator, channelId: channels.help });
        const reply = await rig.replyTo(asked.id);
        if (reply.content !== `You said: ${n}`) throw new Error(`it says ${reply.content}`);
        rejections.check();
        // How far it has come can still be stored.
        await rig.discord.flush();
        await rig.handled(asked);
        return dispatches.map(({ t, d }) => (isPromised(asSent(t, d)) ? "as promised" : "refused"));
      },
      async [Symbol.asyncDispose]() {
        await rig[Symbol.asyncDispose]();
        rejections[Symbol.dispose]();
      },
    };
  },
);
