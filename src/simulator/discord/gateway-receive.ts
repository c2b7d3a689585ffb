import { GatewayOpcodes } from "discord-api-types/v10";
import type { Gateway } from "./gateway.ts";
import type { GatewayConnection } from "./gateway-connection.ts";
import { refuseIntents } from "./gateway-intents.ts";
import { requestMembers } from "./gateway-members.ts";
import type { GatewaySession } from "./gateway-session.ts";
import { integer, isRecord, text } from "./json.ts";

/** https://discord.com/developers/docs/events/gateway#rate-limiting */
const framesPerMinute = 120;
const frameBytes = 4096;

/** Why a connection is closed: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway */
type Refusal = readonly [code: number, reason: string] | null;

const decodeError: Refusal = [4002, "Decode error"];
const notAuthenticated: Refusal = [4003, "Not authenticated"];
const authenticationFailed: Refusal = [4004, "Authentication failed"];
const alreadyAuthenticated: Refusal = [4005, "Already authenticated"];

/** Takes one frame of a client. */
export function receive(gateway: Gateway, connection: GatewayConnection, raw: string | Buffer): void {
  const refusal = isTooFast(gateway, connection)
    ? ([4008, "Rate limited"] as const)
    : handle(gateway, connection, raw);
  if (refusal !== null) connection.close(...refusal);
}

function isTooFast(gateway: Gateway, connection: GatewayConnection): boolean {
  const now = gateway.world.now();
  connection.received = connection.received.filter((at) => at > now - 60_000);
  connection.received.push(now);
  return connection.received.length > framesPerMinute;
}

function handle(gateway: Gateway, connection: GatewayConnection, raw: string | Buffer): Refusal {
  const frame = parse(raw);
  if (frame === null) return decodeError;
  switch (frame.op) {
    case GatewayOpcodes.Heartbeat:
      gateway.note("heartbeat", connection.session, { sequence: integer(frame.d) });
      gateway.expectHeartbeat(connection);
      if (gateway.acknowledges) gateway.send(connection, GatewayOpcodes.HeartbeatAck, null);
      return null;
    case GatewayOpcodes.Identify:
      return identify(gateway, connection, frame.d);
    case GatewayOpcodes.Resume:
      return resume(gateway, connection, frame.d);
    case GatewayOpcodes.RequestGuildMembers:
      if (connection.session === null) return notAuthenticated;
      requestMembers(gateway, connection.session, frame.d);
      return null;
    case GatewayOpcodes.PresenceUpdate:
    case GatewayOpcodes.VoiceStateUpdate:
      return connection.session === null ? notAuthenticated : null;
    default:
      return [4001, "Unknown opcode"];
  }
}

function identify(gateway: Gateway, connection: GatewayConnection, d: unknown): Refusal {
  const { settings } = gateway;
  if (connection.session !== null) return alreadyAuthenticated;
  if (!isRecord(d)) return decodeError;
  if (d.token !== settings.token) return authenticationFailed;
  const [shardId, shardCount] = readShard(d.shard);
  if (shardId === null || shardCount === null || shardId < 0 || shardId >= shardCount) {
    return [4010, "Invalid shard"];
  }
  if (shardCount < settings.minimumShards) return [4011, "Sharding required"];
  const intents = integer(d.intents) ?? -1;
  const refusal = refuseIntents(intents, settings.allowed);
  if (refusal === "invalid") return [4013, "Invalid intents"];
  if (refusal === "disallowed") return [4014, "Disallowed intents"];
  const bucket = shardId % settings.startLimit.max_concurrency;
  const now = gateway.world.now();
  if (now - (gateway.lastIdentify.get(bucket) ?? Number.NEGATIVE_INFINITY) < settings.identifyIntervalMs) {
    invalidate(gateway, connection, false);
    return null;
  }
  if (settings.startLimit.remaining <= 0) return exhaust(gateway, connection);
  settings.startLimit.remaining -= 1;
  gateway.lastIdentify.set(bucket, now);
  const id = crypto.randomUUID().replaceAll("-", "");
  const largeThreshold = Math.min(250, Math.max(50, integer(d.large_threshold) ?? 50));
  gateway.begin(connection, { id, shardId, shardCount, intents, largeThreshold });
  return null;
}

function resume(gateway: Gateway, connection: GatewayConnection, d: unknown): Refusal {
  if (connection.session !== null) return alreadyAuthenticated;
  if (!isRecord(d)) return decodeError;
  if (d.token !== gateway.settings.token) return authenticationFailed;
  const session = findResumable(gateway, text(d.session_id) ?? "");
  const sequence = integer(d.seq);
  gateway.note("resume", session, { sequence });
  if (session !== null && sequence !== null && sequence > session.sequence) {
    gateway.sessions.delete(session.id);
    return [4007, "Invalid seq"];
  }
  const missed = sequence === null ? null : (session?.missedSince(sequence) ?? null);
  if (session === null || missed === null) {
    invalidate(gateway, connection, false);
    return null;
  }
  const former = session.connection;
  gateway.detach(session);
  session.connection = connection;
  session.disconnectedAt = null;
  connection.session = session;
  former?.close(4000, "Resumed elsewhere");
  for (const json of missed) connection.send(json);
  gateway.note("resumed", session, { sequence, replayed: missed.length });
  session.resumed();
  return null;
}

function findResumable(gateway: Gateway, id: string): GatewaySession | null {
  const session = gateway.sessions.get(id);
  if (session === undefined) return null;
  const waited = session.disconnectedAt === null ? 0 : gateway.world.now() - session.disconnectedAt;
  if (waited <= gateway.settings.sessionTimeoutMs) return session;
  gateway.sessions.delete(id);
  return null;
}

/** Opcode 9: `resumable` says whether the client may try the same session again. */
export function invalidate(gateway: Gateway, connection: GatewayConnection, resumable: boolean): void {
  const { session } = connection;
  gateway.note("invalid_session", session);
  if (session !== null) {
    gateway.detach(session);
    connection.session = null;
    if (!resumable) gateway.sessions.delete(session.id);
  }
  gateway.send(connection, GatewayOpcodes.InvalidSession, resumable);
}

/** Too many identifies in a day: every session ends and the token is reset. */
function exhaust(gateway: Gateway, connection: GatewayConnection): Refusal {
  gateway.settings.token = crypto.randomUUID();
  gateway.sessions.clear();
  for (const other of gateway.connections) {
    if (other !== connection) other.close(4004, "Authentication failed");
  }
  return authenticationFailed;
}

function readShard(value: unknown): [number | null, number | null] {
  if (value === undefined) return [0, 1];
  return Array.isArray(value) ? [integer(value[0]), integer(value[1])] : [null, null];
}

function parse(raw: string | Buffer): { op: unknown; d: unknown } | null {
  if (raw.length > frameBytes) return null;
  try {
    const value: unknown = JSON.parse(raw.toString());
    return isRecord(value) ? { op: value.op, d: value.d } : null;
  } catch {
    return null;
  }
}
