/** How often each pair of words was counted since it was last asked. */
export class Tally {
  #counts = new Map<string, Map<string, number>>();

  add(first: string, second: string): void {
    let counts = this.#counts.get(first);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(first, counts);
    }
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }

  drain(each: (first: string, second: string, count: number) => void): void {
    const counted = this.#counts;
    this.#counts = new Map();
    for (const [first, counts] of counted) for (const [second, count] of counts) each(first, second, count);
  }
}

interface Durations {
  /** One more than there are bounds: the last is for what is longer than all of them. */
  readonly buckets: number[];
  sum: number;
}

/**
 * A histogram by method and endpoint. In place of prom-client's, which takes longer to find its labels than a short
 * request has; it writes the same text, https://prometheus.io/docs/instrumenting/exposition_formats/.
 */
export class RequestDurations {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #byMethod = new Map<string, Map<string, Durations>>();

  /** `bounds` in seconds, rising. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  observe(method: string, endpoint: string, seconds: number): void {
    const durations = this.#byMethod.get(method)?.get(endpoint) ?? this.#add(method, endpoint);
    let bucket = 0;
    for (const bound of this.#bounds) {
      if (seconds <= bound) break;
      bucket++;
    }
    durations.buckets[bucket] = (durations.buckets[bucket] ?? 0) + 1;
    durations.sum += seconds;
  }

  text(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    for (const [method, endpoints] of this.#byMethod)
      for (const [endpoint, { buckets, sum }] of endpoints) {
        const labels = `method="${escaped(method)}",endpoint="${escaped(endpoint)}"`;
        let count = 0;
        for (const [at, inBucket] of buckets.entries()) {
          count += inBucket;
          lines.push(`${this.#name}_bucket{le="${this.#bounds[at] ?? "+Inf"}",${labels}} ${count}`);
        }
        lines.push(`${this.#name}_sum{${labels}} ${sum}`, `${this.#name}_count{${labels}} ${count}`);
      }
    return `${lines.join("\n")}\n`;
  }

  #add(method: string, endpoint: string): Durations {
    const endpoints = this.#byMethod.get(method) ?? new Map<string, Durations>();
    this.#byMethod.set(method, endpoints);
    const durations: Durations = { buckets: Array<number>(this.#bounds.length + 1).fill(0), sum: 0 };
    endpoints.set(endpoint, durations);
    return durations;
  }
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
