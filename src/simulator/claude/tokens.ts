const charsPerToken = 4;
const imageTokens = 1_500;

/** A deterministic estimate: four UTF-16 units to a token, at least one for anything that is not empty. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charsPerToken);
}

/** The text that fits into so many tokens, never ending in half a surrogate pair. */
export function cutToTokens(text: string, tokens: number): string {
  let end = Math.min(text.length, Math.max(0, tokens) * charsPerToken);
  const last = text.charCodeAt(end - 1);
  if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
  return text.slice(0, end);
}

/** Base64 payloads are counted as one image each and not by their length. */
export function estimateJsonTokens(json: string): number {
  let images = 0;
  const rest = json.replace(/"data":"[A-Za-z0-9+/=]{64,}"/g, () => {
    images += 1;
    return "";
  });
  return estimateTokens(rest) + images * imageTokens;
}
