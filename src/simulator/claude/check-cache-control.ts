import { refuse } from "./errors.ts";
import { isObject, type JsonObject, onlyKnown } from "./fields.ts";

const maxBreakpoints = 4;

/**
 * At most four markers, none on thinking, longer times to live before shorter ones.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function checkCacheControls(request: JsonObject): void {
  const markers: unknown[] = [];
  const visit = (value: unknown) => {
    if (!isObject(value)) return;
    if (value.cache_control !== undefined && value.cache_control !== null) markers.push(value.cache_control);
    if (value.type === "tool_result" && Array.isArray(value.content)) value.content.forEach(visit);
  };
  for (const list of [request.tools, request.system]) if (Array.isArray(list)) list.forEach(visit);
  const messages = Array.isArray(request.messages) ? request.messages : [];
  for (const message of messages) {
    if (isObject(message) && Array.isArray(message.content)) message.content.forEach(visit);
  }
  if (request.cache_control !== undefined && request.cache_control !== null)
    markers.push(request.cache_control);

  markers.forEach(checkMarker);
  if (markers.length > maxBreakpoints)
    refuse(
      `A maximum of ${maxBreakpoints} blocks with cache_control may be provided. Found ${markers.length}.`,
    );
  const lives = markers.map((marker) => (isObject(marker) && marker.ttl === "1h" ? "1h" : "5m"));
  if (lives.lastIndexOf("1h") > lives.indexOf("5m") && lives.includes("5m"))
    refuse(
      "cache_control: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block",
    );
}

function checkMarker(marker: unknown): void {
  if (!isObject(marker) || marker.type !== "ephemeral")
    refuse("cache_control: Input should be an object with type 'ephemeral'");
  onlyKnown(marker, ["type", "ttl"], "cache_control.");
  if (marker.ttl !== undefined && marker.ttl !== "5m" && marker.ttl !== "1h")
    refuse("cache_control.ttl: Input should be '5m' or '1h'");
}
