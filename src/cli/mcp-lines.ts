/** One line of the input, or why it cannot be used. */
export type Line =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "too_long" }
  | { readonly kind: "not_utf8" };

const newline = 0x0a;

/**
 * Splits bytes into lines of at most `maxBytes`, without their ends; empty ones are left out. A character
 * may lie across chunks. The rest of a line that is too long is passed over, and the next one is whole.
 * What follows the last line break counts as a line.
 */
export async function* readLines(input: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  let parts: Uint8Array[] = [];
  let bytes = 0;

  function add(part: Uint8Array): void {
    bytes += part.length;
    if (bytes > maxBytes) parts = [];
    // Copied: whoever gives chunks may use their memory again.
    else if (part.length > 0) parts.push(part.slice());
  }

  function take(): Line | null {
    const line = bytes > maxBytes ? ({ kind: "too_long" } as const) : decode(Buffer.concat(parts));
    parts = [];
    bytes = 0;
    return line;
  }

  for await (const chunk of input) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      add(chunk.subarray(from, end));
      from = end + 1;
      const line = take();
      if (line !== null) yield line;
    }
    add(chunk.subarray(from));
  }
  const last = take();
  if (last !== null) yield last;
}

function decode(bytes: Uint8Array): Line | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
    return text === "" ? null : { kind: "line", text };
  } catch {
    return { kind: "not_utf8" };
  }
}
