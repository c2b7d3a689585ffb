import type { Config } from "../config.ts";

/** What the operator should know of how the service is configured, a sentence each. */
export function noticesOf({ discord, model, http }: Config, newKeyPath: string | null): string[] {
  const notices: string[] = [];
  if (newKeyPath !== null) notices.push(newKeyNotice(newKeyPath));
  if (discord.token === null) {
    notices.push("DISCORD_TOKEN is not set: serving the network only, tools answer discord_unavailable");
  }
  if (model.apiKey === null) {
    notices.push("ANTHROPIC_API_KEY is not set: every turn fails with model_unavailable");
  }
  if (http.auth === "off") notices.push("MCP_AUTH is off: whoever reaches this address is the operator");
  return notices;
}

/** Told once, by whichever command has made the key. */
export function newKeyNotice(path: string): string {
  return `a secret key was made in ${path}; back it up, the database cannot be read without it`;
}
