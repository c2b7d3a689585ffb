import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";

/**
 * A sealed value: version (1 byte), data key's id (2 bytes, big-endian), nonce (12), ciphertext, tag (16).
 * AES-256-GCM with random nonces, NIST SP 800-38D 8.2.2: a key is good for 2^32 values.
 */
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 3 + nonceBytes;
const cipherName = "aes-256-gcm";

/** Where a value stands. It is sealed in with it, so that a value moved to another row or column does not open. */
export interface Place {
  readonly table: string;
  readonly column: string;
  readonly row: string | number;
}

export interface Encryption {
  seal(place: Place, text: string): Uint8Array;
  /** Throws when the value was changed, moved, or sealed with a key that we do not have. */
  open(place: Place, sealed: Uint8Array): string;
  /** For looking up what must not be stored readable. Parts are kept apart, whatever they hold. */
  hash(purpose: string, parts: readonly string[]): Uint8Array;
}

export interface DataKey {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** What rotation needs besides: the keys can change while values are sealed and opened. */
export interface Keyring extends Encryption {
  /** Id of the key that values are sealed with. */
  readonly newest: number;
  /** All ids, oldest first. */
  readonly ids: readonly number[];
  /** From now on values are sealed with that key; older ones still open. */
  add(key: DataKey): void;
  /** From now on the newest key alone opens. */
  dropOlder(): void;
  /** The same value sealed with the newest key; null when it is already. Throws as `open` does. */
  reseal(place: Place, sealed: Uint8Array): Uint8Array | null;
}

/** What look-ups are hashed with, as long as nothing else is stored for it: it must outlive the first data key. */
export const lookUpKeyOf = (first: DataKey): Uint8Array => derive(first.bytes, new Uint8Array(), "look-up");

/** Opens with any of the keys (oldest first), seals with the newest, hashes with `lookUpKey`, which must never change. */
export function createEncryption(keys: readonly DataKey[], lookUpKey?: Uint8Array): Keyring {
  const byId = new Map(keys.map((key) => [key.id, createSecretKey(key.bytes)]));
  const [first] = keys;
  const last = keys.at(-1);
  if (first === undefined || last === undefined) throw new Error("There is no data key.");
  let newest = last.id;
  let sealing = createSecretKey(last.bytes);
  const hashing = createSecretKey(lookUpKey ?? lookUpKeyOf(first));
  const unseal = (place: Place, sealed: Uint8Array): Buffer => {
    const id = sealedBy(sealed);
    const key = byId.get(id);
    if (key === undefined) throw new Error(`A stored value names a data key ${id} that does not exist.`);
    return openWith(key, label(place), sealed);
  };
  return {
    get newest() {
      return newest;
    },
    get ids() {
      return [...byId.keys()];
    },
    add({ id, bytes }) {
      if (id <= newest) throw new Error("A data key can only be followed by a newer one.");
      newest = id;
      sealing = createSecretKey(bytes);
      byId.set(id, sealing);
    },
    dropOlder() {
      for (const id of byId.keys()) if (id !== newest) byId.delete(id);
    },
    reseal: (place, sealed) =>
      sealedBy(sealed) === newest ? null : sealWith(sealing, newest, label(place), unseal(place, sealed)),
    seal: (place, text) => sealWith(sealing, newest, label(place), Buffer.from(text, "utf8")),
    open: (place, sealed) => unseal(place, sealed).toString("utf8"),
    hash(purpose, parts) {
      const mac = createHmac("sha256", hashing);
      for (const part of [purpose, ...parts]) mac.update(`${Buffer.byteLength(part)}:`).update(part);
      return mac.digest();
    },
  };
}

/** Id of the data key that a value was sealed with. */
export const sealedBy = (sealed: Uint8Array): number => ((sealed[1] ?? 0) << 8) | (sealed[2] ?? 0);

function label(place: Place): Buffer {
  return Buffer.from(`${place.table}.${place.column}:${place.row}`, "utf8");
}

function sealWith(key: KeyObject, keyId: number, data: Uint8Array, plain: Uint8Array): Uint8Array {
  const sealed = Buffer.allocUnsafe(headBytes + plain.length + tagBytes);
  sealed.writeUInt8(version, 0);
  sealed.writeUInt16BE(keyId, 1);
  const nonce = randomBytes(nonceBytes);
  nonce.copy(sealed, 3);
  const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(data);
  sealed.set(cipher.update(plain), headBytes);
  cipher.final();
  sealed.set(cipher.getAuthTag(), headBytes + plain.length);
  return sealed;
}

function openWith(key: KeyObject, data: Uint8Array, sealed: Uint8Array): Buffer {
  if (sealed[0] !== version || sealed.length < headBytes + tagBytes)
    throw new Error("A stored value is not sealed in a form that this version knows.");
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv(cipherName, key, view(sealed, 3, headBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(data);
  decipher.setAuthTag(view(sealed, end, sealed.length));
  const plain = decipher.update(view(sealed, headBytes, end));
  decipher.final();
  return plain;
}

/** `subarray`, but at a third of its cost: a conversation opens a thousand values. */
function view(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}

function derive(secret: Uint8Array, salt: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, salt, `discord-mcp ${purpose}`, 32));
}

function wrappingKey(secretKey: string, salt: Uint8Array): KeyObject {
  return createSecretKey(derive(Buffer.from(secretKey, "utf8"), salt, "data key"));
}

const wrapLabel = (id: number): Buffer => label({ table: "data_keys", column: "wrapped", row: id });

export function wrapDataKey(secretKey: string, salt: Uint8Array, key: DataKey): Uint8Array {
  return sealWith(wrappingKey(secretKey, salt), key.id, wrapLabel(key.id), key.bytes);
}

/** Null when it was wrapped by another key. */
export function unwrapDataKey(
  secretKey: string,
  salt: Uint8Array,
  id: number,
  wrapped: Uint8Array,
): DataKey | null {
  try {
    return { id, bytes: openWith(wrappingKey(secretKey, salt), wrapLabel(id), wrapped) };
  } catch {
    return null;
  }
}
