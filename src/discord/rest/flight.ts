import { AsyncLocalStorage } from "node:async_hooks";

/**
 * How far one request that changes something has come, as its HTTP side sees it:
 * `waiting` (not sent, or sent and refused for its rate: nothing was done), `sent` (it may have had its effect), or
 * `refused` (Discord answered that it will not do it).
 */
export class Flight {
  stage: "waiting" | "sent" | "refused" = "waiting";
}

/** The client tells its HTTP side nothing of who asks, so the flight travels with the asynchronous call. */
const flights = new AsyncLocalStorage<Flight>();

/** Runs a request of the client so that `flight` tells how far it came. One request to a flight. */
export function follow<Value>(flight: Flight, run: () => Promise<Value>): Promise<Value> {
  return flights.run(flight, run);
}

/** Whether somebody waits for the request of this asynchronous call, rather than a queue of our own. */
export function isFollowed(): boolean {
  return flights.getStore() !== undefined;
}

/** Sends by `send` and writes down how far the flight comes, if there is one. */
export async function fly<Response extends { readonly status: number }>(
  send: () => Promise<Response>,
): Promise<Response> {
  const flight = flights.getStore();
  if (flight === undefined) return await send();
  flight.stage = "sent";
  const response = await send();
  flight.stage = stageOf(response.status);
  return response;
}

/** 408 is an answer of something between us and Discord, which may have passed the request on. */
function stageOf(status: number): Flight["stage"] {
  if (status === 429) return "waiting";
  return status >= 400 && status < 500 && status !== 408 ? "refused" : "sent";
}
