/**
 * The sequence numbers of one gateway session: which came, and up to which everything is handled. Only the latter may
 * be stored: what a resume brings again is recognised, what it does not bring is lost.
 */
export class SequenceTracker {
  readonly sessionId: string;
  readonly #open = new Set<number>();
  #latest: number;

  constructor(sessionId: string, sequence: number) {
    this.sessionId = sessionId;
    this.#latest = sequence;
  }

  get latest(): number {
    return this.#latest;
  }

  /** Everything up to here is handled. */
  get handled(): number {
    let least = this.#latest + 1;
    for (const sequence of this.#open) if (sequence < least) least = sequence;
    return least - 1;
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
    if (sequence > this.#latest) this.#latest = sequence;
  }
}
