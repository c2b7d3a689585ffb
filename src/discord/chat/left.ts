/** Thrown where a message is neither accepted nor passed over, because the service goes: the next process gets it again. */
export class LeftToTheNext extends Error {
  override readonly name = "LeftToTheNext";
}
