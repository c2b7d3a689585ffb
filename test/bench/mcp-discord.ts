import { startDiscordSimulator } from "../../src/simulator/discord/simulator.ts";
import { servePart } from "./parts.ts";

/** A simulated Discord, for what needs channels that somebody may read. */
const { apiUrl, token } = await startDiscordSimulator({ rateLimits: "off" });
servePart({ apiUrl, token }, {});
