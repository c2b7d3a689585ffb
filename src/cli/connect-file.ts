import { readFile, readlink, realpath, stat } from "node:fs/promises";
import { writeSecretFile } from "../auth/secret-files.ts";
import { AppError } from "../errors.ts";

type Json = Readonly<Record<string, unknown>>;

/** A client's configuration, read and found fit to be added to. */
export interface ClientFile {
  /** Where it really lies, links followed. */
  readonly path: string;
  /** The server of that name as it is now; undefined when there is none. */
  readonly existing: unknown;
  /** Puts the server in, everything else kept. Resolves with where the file before is kept; null when there was none. */
  write(entry: Json, now: Date): Promise<string | null>;
}

/** A file of state can grow; beyond that it is none that we know. */
const maxBytes = 64 * 1024 * 1024;

/**
 * Reads it, and makes sure that writing it anew would lose nothing: no comment, no key that is there twice, no
 * number that we would write differently. Throws AppError, with what to do instead; the file is not touched.
 */
export async function openClientFile(file: string, servers: string, name: string): Promise<ClientFile> {
  const { path, text } = await read(file);
  const root = text === null || text.trim() === "" ? {} : parse(text, path);
  const known = Object.hasOwn(root, servers) ? root[servers] : {};
  if (!isObject(known)) throw refused(path, `its "${servers}" is no object`);
  return {
    path,
    existing: Object.hasOwn(known, name) ? known[name] : undefined,
    async write(entry, now) {
      if ((await read(file)).text !== text) throw refused(path, "it has just been changed by something else");
      const backup = `${path}.${now.toISOString().replace(/[:.]/g, "-")}.bak`;
      const made = { ...root, [servers]: { ...known, [name]: entry } };
      try {
        if (text !== null) await writeSecretFile(backup, text);
        await writeSecretFile(path, `${JSON.stringify(made, null, indentOf(text ?? ""))}\n`);
      } catch (error) {
        throw refused(path, `it cannot be written (${codeOf(error)})`);
      }
      return text === null ? null : backup;
    },
  };
}

async function read(file: string): Promise<{ readonly path: string; readonly text: string | null }> {
  try {
    const path = await realpath(file);
    // What is no file may have no end, or nothing to read until somebody writes.
    const found = await stat(path);
    if (!found.isFile()) throw refused(path, "it is no file");
    if (found.size > maxBytes) throw refused(path, `it is larger than ${maxBytes} bytes`);
    const bytes = await readFile(path);
    return { path, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = codeOf(error);
    if (code === "ENOENT") {
      // Writing would put a file in the link's place.
      const target = await readlink(file).catch(() => null);
      if (target !== null) throw refused(file, `it is a link to ${target}, which is not there`);
      return { path: file, text: null };
    }
    throw refused(
      file,
      code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8" : `it cannot be read (${code})`,
    );
  }
}

function parse(text: string, path: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(path, "it is no plain JSON (comments and trailing commas would be lost)");
  }
  if (!isObject(value)) throw refused(path, "it holds no JSON object");
  if (JSON.stringify(value) !== withoutSpace(text))
    throw refused(path, "writing it anew would change other parts of it");
  return value;
}

/** JSON without the space between its parts. */
const withoutSpace = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_all, quoted: string | undefined) => quoted ?? "");

/** Its own, as the first line inside shows it. */
const indentOf = (text: string): string => /^\{\r?\n([ \t]+)"/.exec(text)?.[1] ?? "  ";

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function refused(path: string, why: string): AppError {
  return new AppError(
    "invalid_data",
    `${path} is left as it is: ${why}. Run the command without --write and paste what it prints.`,
  );
}
