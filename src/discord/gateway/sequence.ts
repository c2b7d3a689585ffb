/** Dispatches that came later than one that never came: then that one is given up. */
const patience = 1000;

/**
 * The sequence numbers of one gateway session: which came, and up to which everything is handled. Only the latter may
 * be stored: what a resume brings again is recognised, what it does not bring is lost. A number that was skipped may
 * still come, so nothing goes past it either.
 */
export class SequenceTracker {
  readonly sessionId: string;
  readonly #open = new Set<number>();
  readonly #missing = new Set<number>();
  readonly #first: number;
  #latest: number;

  constructor(sessionId: string, sequence: number) {
    this.sessionId = sessionId;
    this.#first = sequence;
    this.#latest = sequence;
  }

  get latest(): number {
    return this.#latest;
  }

  /** Everything up to here has come: where a resume has to begin while this process lives. */
  get complete(): number {
    return least(this.#missing, this.#latest + 1) - 1;
  }

  /**
   * Everything up to here is handled: where a resume has to begin in the next process. Null while what began the
   * session is not handled, since a resume brings what came after it only.
   */
  get handled(): number | null {
    const handled = least(this.#open, this.complete + 1) - 1;
    return handled < this.#first ? null : handled;
  }

  /** A dispatch came whose handling goes on. */
  begin(sequence: number): void {
    this.#open.add(sequence);
    this.passed(sequence);
  }

  end(sequence: number): void {
    this.#open.delete(sequence);
  }

  /** A dispatch came and is handled. */
  passed(sequence: number): void {
    this.#missing.delete(sequence);
    // Beyond safe integers adding one changes nothing, and counting up to it would never end.
    if (sequence <= this.#latest || !Number.isSafeInteger(sequence)) return;
    for (let skipped = Math.max(this.#latest + 1, sequence - patience); skipped < sequence; skipped += 1)
      this.#missing.add(skipped);
    this.#latest = sequence;
    // In order of their numbers, so that the first is the oldest.
    for (const skipped of this.#missing) {
      if (sequence - skipped <= patience) break;
      this.#missing.delete(skipped);
    }
  }
}

function least(numbers: ReadonlySet<number>, otherwise: number): number {
  let found = otherwise;
  for (const number of numbers) if (number < found) found = number;
  return found;
}
