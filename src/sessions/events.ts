import { AppError } from "../errors.ts";
import { Lru } from "../lru.ts";

/** What happened in a conversation, numbered. `json` is the event as it goes over the wire, made once for all. */
export interface StreamEvent {
  readonly seq: number;
  readonly json: string;
  /** The turn that it belongs to, if any. */
  readonly turnId: string | null;
  /** For events of one session of the conversation; null for events of all. */
  readonly sessionId: string | null;
  /** Who caused it and knows already; that subscriber is left out. */
  readonly origin: object | null;
  /** What it rests on: see `Source` in tools/sources.ts. */
  readonly sources: readonly string[];
}

/** Further than to all of the conversation, and from nothing. */
export interface Published {
  readonly sessionId?: string | null;
  readonly origin?: object | null;
  /** An event of a turn rests also on what those before it of that turn do. */
  readonly sources?: readonly string[];
}

export interface Subscription {
  readonly epoch: string;
  /** The newest number at the time of subscribing. */
  readonly seq: number;
  /** What came after `afterSeq`, if the buffer still holds all of it. */
  readonly replay: readonly StreamEvent[];
  /** The buffer does not go back to `afterSeq`: something is lost for good. */
  readonly missedTooMuch: boolean;
  close(): void;
}

export interface Subscriber {
  readonly sessionId: string;
  readonly origin: object | null;
  readonly listener: (event: StreamEvent) => void;
  /** Its conversation is no more. It is to close its subscription. */
  readonly ended?: () => void;
}

export interface EventHub {
  /** Random for each process: a `seq` counts within it. */
  readonly epoch: string;
  publish(conversationId: string, event: Readonly<Record<string, unknown>>, to?: Published): void;
  /** Throws AppError `too_many_connections`. */
  subscribe(
    conversationId: string,
    subscriber: Subscriber,
    since?: { readonly afterSeq: number; readonly epoch: string | null },
  ): Subscription;
  /** The newest number of a stream. */
  position(conversationId: string): number;
  readonly streams: number;
  /** Its conversation is no more: drops what was kept for those who come back, and tells those who are there. */
  forget(conversationId: string): void;
}

export interface EventHubOptions {
  readonly maxEvents?: number;
  readonly maxBytes?: number;
  /** Of all buffers together: beyond it idle streams are forgotten, then the publishing one keeps less. */
  readonly maxTotalBytes?: number;
  /** Streams that nobody listens to are forgotten beyond this many, the least recently used first. */
  readonly maxIdleStreams?: number;
  /** Subscriptions of all streams together. */
  readonly maxSubscribers?: number;
}

/** Turns of which it is remembered what they rest on; far more than can run at once. */
const restingTurns = 4096;
const noSources: readonly string[] = Object.freeze([]);

interface Stream {
  seq: number;
  /** The events with numbers after this one are all in the buffer. */
  floor: number;
  bytes: number;
  readonly buffer: StreamEvent[];
  readonly subscribers: Set<Subscriber>;
}

/**
 * Streams of events, one for each conversation, with a bounded buffer for those who come back.
 * Publishing calls the listeners at once; a listener must not throw or block.
 */
export function createEventHub(options: EventHubOptions = {}): EventHub {
  const { maxEvents = 512, maxBytes = 256 * 1024, maxIdleStreams = 1024 } = options;
  const { maxTotalBytes = 64 * 1024 * 1024, maxSubscribers = 100_000 } = options;
  let subscribed = 0;
  let totalBytes = 0;
  const epoch = Buffer.from(crypto.getRandomValues(new Uint8Array(9))).toString("base64url");
  const busy = new Map<string, Stream>();
  // A forgotten stream begins anew above every number that was ever used by one, so that a number seen
  // before it was forgotten can never be mistaken for one of after.
  let forgotten = 0;
  const idle = new Lru<Stream>(maxIdleStreams, (_key, stream) => {
    forgotten = Math.max(forgotten, stream.seq);
    totalBytes -= stream.bytes;
  });

  function find(conversationId: string): Stream {
    const known = busy.get(conversationId) ?? idle.get(conversationId);
    if (known !== undefined) return known;
    const stream: Stream = { seq: forgotten, floor: forgotten, bytes: 0, buffer: [], subscribers: new Set() };
    idle.set(conversationId, stream);
    return stream;
  }

  const resting = new Lru<readonly string[]>(restingTurns);

  function restsOn(turnId: string | null, given: readonly string[]): readonly string[] {
    const before = turnId === null ? undefined : resting.get(turnId);
    if (turnId === null || given.length === 0 || given === before) return before ?? given;
    const all = new Set(given);
    for (const source of before ?? noSources) all.add(source);
    // The array that was given is the same for many events in a row, and is compared as such.
    const sources = all.size === given.length ? given : [...all];
    resting.set(turnId, sources);
    return sources;
  }

  function store(stream: Stream, event: StreamEvent): void {
    stream.buffer.push(event);
    stream.bytes += size(event);
    totalBytes += size(event);
    const evictable = () => idle.size > 1 && idle.evictOldest();
    while (totalBytes > maxTotalBytes && evictable());
    const tooMuch = () => stream.bytes > maxBytes || totalBytes > maxTotalBytes;
    let dropped = 0;
    while (stream.buffer.length - dropped > maxEvents || tooMuch()) {
      const oldest = stream.buffer[dropped];
      if (oldest === undefined) break;
      stream.bytes -= size(oldest);
      totalBytes -= size(oldest);
      stream.floor = oldest.seq;
      dropped++;
    }
    if (dropped > 0) stream.buffer.splice(0, dropped);
  }

  function leave(conversationId: string, stream: Stream, subscriber: Subscriber): void {
    if (!stream.subscribers.delete(subscriber)) return;
    subscribed--;
    if (stream.subscribers.size > 0) return;
    busy.delete(conversationId);
    idle.set(conversationId, stream);
  }

  return {
    epoch,
    get streams() {
      return busy.size + idle.size;
    },
    forget(conversationId) {
      const stream = busy.get(conversationId) ?? idle.get(conversationId);
      if (stream === undefined) return;
      totalBytes -= stream.bytes;
      stream.bytes = 0;
      stream.floor = stream.seq;
      stream.buffer.length = 0;
      for (const { ended } of [...stream.subscribers]) ended?.();
    },
    position: (conversationId) => find(conversationId).seq,
    publish(conversationId, event, to) {
      const stream = find(conversationId);
      const turnId = typeof event.turn_id === "string" ? event.turn_id : null;
      const numbered: StreamEvent = {
        seq: ++stream.seq,
        json: JSON.stringify(event),
        turnId,
        sessionId: to?.sessionId ?? null,
        origin: to?.origin ?? null,
        sources: restsOn(turnId, to?.sources ?? noSources),
      };
      store(stream, numbered);
      for (const subscriber of stream.subscribers)
        if (concerns(numbered, subscriber)) subscriber.listener(numbered);
    },
    subscribe(conversationId, subscriber, since) {
      if (subscribed >= maxSubscribers) throw tooManyFollowed();
      subscribed++;
      const stream = find(conversationId);
      idle.delete(conversationId);
      busy.set(conversationId, stream);
      stream.subscribers.add(subscriber);
      const lost =
        since !== undefined &&
        ((since.epoch !== null && since.epoch !== epoch) ||
          since.afterSeq < stream.floor ||
          since.afterSeq > stream.seq);
      const replay =
        since === undefined || lost
          ? []
          : stream.buffer.filter((event) => event.seq > since.afterSeq && concerns(event, subscriber));
      return {
        epoch,
        seq: stream.seq,
        replay,
        missedTooMuch: lost,
        close: () => leave(conversationId, stream, subscriber),
      };
    },
  };
}

function tooManyFollowed(): AppError {
  return new AppError(
    "too_many_connections",
    "The events of too many sessions are followed at once; close connections, or try again later.",
    { retryAfterMs: 10_000 },
  );
}

function concerns(event: StreamEvent, subscriber: Subscriber): boolean {
  if (event.sessionId !== null && event.sessionId !== subscriber.sessionId) return false;
  return event.origin === null || event.origin !== subscriber.origin;
}

/** Characters count as bytes: exact enough for a bound, and free. */
function size(event: StreamEvent): number {
  return event.json.length + 64;
}
