import type { ApprovalStore, TurnJournal } from "../agent/journal.ts";
import type { HistoryPort } from "../agent/ports.ts";
import type { ApiTokenStore } from "../auth/ports.ts";
import type { ChannelMarks, GatewaySessions, IdentifyLog, Outbox, SeenMessages } from "../discord/ports.ts";
import type { PreferenceStore, SessionStore, TranscriptPort } from "../sessions/ports.ts";
import type { MemoryStore, SentMessages } from "../tools/ports.ts";
import { createApiTokenStore } from "./api-tokens.ts";
import { createApprovalStore } from "./approvals.ts";
import { type AuditLog, createAuditLog } from "./audit.ts";
import { type BudgetStore, createBudgetStore } from "./budgets.ts";
import { type Connection, connect } from "./connection.ts";
import { type DataKeys, loadDataKeys } from "./data-keys.ts";
import { createEraser, type Eraser } from "./erase.ts";
import { createErasures, type Erasures } from "./erasures.ts";
import { errorCode, toOpenError } from "./errors.ts";
import { createExporter, type Exporter } from "./export.ts";
import { createChannelMarks, createGatewaySessions, createIdentifyLog } from "./gateway.ts";
import { createHistory } from "./history.ts";
import { createKeyRotation, type KeyRotation } from "./key-rotation.ts";
import { createLateRows } from "./late-rows.ts";
import { createMemoryStore } from "./memories.ts";
import { migrations } from "./migrations.ts";
import { createOutbox } from "./outbox.ts";
import { createPreferenceStore } from "./preferences.ts";
import { type Removed, removeOlderThan } from "./retention.ts";
import { createSeenMessages } from "./seen-messages.ts";
import { createSentMessages } from "./sent-messages.ts";
import { createSessionStore } from "./sessions.ts";
import { createStorageGuard, type StorageGuard, type StorageWatch } from "./storage-watch.ts";
import { createStore, type Store } from "./store.ts";
import { createTranscript } from "./transcript.ts";
import { createTurnQueue } from "./turn-queue.ts";
import { createTurnReader } from "./turn-rows.ts";
import { createTurnSteps } from "./turn-steps.ts";
import { createTurnSuspension } from "./turn-suspension.ts";

export interface MemoryOptions {
  /** The database file; its folder is made when it is missing. */
  readonly path: string;
  readonly secretKey: string;
  /** The key before `secretKey`, while it is being changed. */
  readonly secretKeyPrevious?: string | null;
  readonly now?: () => number;
  /** Bound of the cache of decrypted conversations and preferences; 0 switches it off. */
  readonly cacheBytes?: number;
  /** Hears the text of each statement that is run, without its values. */
  readonly onQuery?: (sql: string) => void;
}

/** Everything that is stored, as the ports that the other folders declare. Methods do their work before they return. */
export interface Memory extends Disposable, AsyncDisposable {
  readonly turns: TurnJournal;
  readonly approvals: ApprovalStore;
  readonly history: HistoryPort;
  readonly transcript: TranscriptPort;
  readonly sessions: SessionStore;
  readonly preferences: PreferenceStore;
  readonly memories: MemoryStore;
  readonly outbox: Outbox;
  readonly sent: SentMessages;
  readonly marks: ChannelMarks;
  readonly gatewaySessions: GatewaySessions;
  readonly identifies: IdentifyLog;
  readonly seen: SeenMessages;
  readonly tokens: ApiTokenStore;
  readonly audit: AuditLog;
  readonly budgets: BudgetStore;
  readonly erasures: Erasures;
  readonly eraser: Eraser;
  readonly exporter: Exporter;
  readonly keys: KeyRotation;
  readonly schemaVersion: number;
  readonly storage: StorageWatch;
  /** Whether the database answers, and takes what is written. */
  ping(): boolean;
  /**
   * Deletes what is older than `before`, and rows of the audit log older than `auditBefore` (milliseconds since 1970),
   * in small batches; tombstones and memories stay.
   */
  removeOlderThan(before: number, auditBefore: number): Promise<Removed>;
}

const defaultCacheBytes = 64 * 1024 * 1024;

/**
 * Opens or creates the database. Throws DatabaseOpenError, with a sentence for the operator, when it cannot be
 * opened or written, is locked, damaged, of another program, of a newer version, or sealed with another key.
 */
export function openMemory(options: MemoryOptions): Memory {
  const now = options.now ?? Date.now;
  const connection = connect(options.path, options.onQuery);
  try {
    const previous = options.secretKeyPrevious ?? null;
    const keys = loadDataKeys(connection.db, options.secretKey, previous, now);
    // What was wrapped with the previous key is not to be left in the log.
    if (previous !== null) connection.sqlite.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const storage = createStorageGuard(connection.sqlite, options.path);
    const cacheBytes = options.cacheBytes ?? defaultCacheBytes;
    return assemble(
      connection,
      createStore(connection, keys.keyring, now, cacheBytes, storage),
      keys,
      storage,
    );
  } catch (error) {
    connection.sqlite.close();
    throw toOpenError(error, options.path);
  }
}

/** Where there is no room for it, what is committed stays in the log, and the next opening finds it there. */
function writeBack(sqlite: Connection["sqlite"]): void {
  try {
    sqlite.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    if (!errorCode(error).startsWith("SQLITE_")) throw error;
  }
}

function assemble({ sqlite }: Connection, store: Store, keys: DataKeys, storage: StorageGuard): Memory {
  const reader = createTurnReader(store);
  const history = createHistory(store);
  const turns = {
    ...createTurnQueue(store, reader, history),
    ...createTurnSteps(store, reader, history),
    ...createTurnSuspension(store, reader, history),
  };
  const late = createLateRows(store.now);
  const audit = createAuditLog(store, late);
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    audit.flush();
    store.group.flush();
    writeBack(sqlite);
    sqlite.close();
  };
  return {
    turns,
    approvals: createApprovalStore(store),
    history,
    transcript: createTranscript(store),
    sessions: createSessionStore(store),
    preferences: createPreferenceStore(store),
    memories: createMemoryStore(store),
    outbox: createOutbox(store),
    sent: createSentMessages(store),
    marks: createChannelMarks(store),
    gatewaySessions: createGatewaySessions(store),
    identifies: createIdentifyLog(store),
    seen: createSeenMessages(store),
    tokens: createApiTokenStore(store),
    audit,
    budgets: createBudgetStore(store),
    erasures: createErasures(store),
    eraser: createEraser(store, late, () => audit.flush()),
    exporter: createExporter(store),
    keys: createKeyRotation(store, keys, storage),
    storage,
    schemaVersion: migrations.length,
    ping() {
      try {
        if (!open || storage.isFailing || storage.isReplaced()) return false;
        return sqlite.query("SELECT 1 FROM data_keys").get() !== null;
      } catch {
        return false;
      }
    },
    removeOlderThan: (before, auditBefore) => removeOlderThan(store, before, auditBefore),
    [Symbol.dispose]: close,
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}
