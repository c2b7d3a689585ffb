import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** A file that only its owner may read, whole or not at all. Replaces one that is there. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  await withTemporary(path, text, (temporary) => rename(temporary, path));
}

/** The same, but false when there is one already, also when another process makes it at this moment. */
export async function createSecretFile(path: string, text: string): Promise<boolean> {
  try {
    // A link is made exclusively and names a file that is already complete; opening with "wx" gives only the first.
    await withTemporary(path, text, (temporary) => link(temporary, path));
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error))) throw error;
  }
  return createWithoutLinks(path, text);
}

async function withTemporary(path: string, text: string, put: (temporary: string) => Promise<void>) {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await write(temporary, text);
    await put(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** File systems without links: complete at the latest when this resolves. */
async function createWithoutLinks(path: string, text: string): Promise<boolean> {
  try {
    await write(path, text);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  // An unusual umask could have taken the owner's rights as well.
  await chmod(path, 0o600);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
