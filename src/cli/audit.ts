import { parseArgs } from "node:util";
import { type Config, readConfig } from "../config.ts";
import {
  type AuditLine,
  type AuditRequest,
  createAuditOperations,
  pageRows,
  readAuditPage,
  verdicts,
} from "../operations/audit.ts";
import { auditTable } from "./audit-table.ts";
import { type Command, exit, UsageError } from "./command.ts";
import { existingDatabase } from "./existing-database.ts";
import { openOperations } from "./operations.ts";

const rowsBound = 10_000;
const defaultRows = 50;

export const audit: Command = {
  name: "audit",
  summary: "List who has called which tool, and what became of it.",
  help: `Usage: discord-mcp audit [options]

Every call of a tool is logged, allowed or refused: when, for whom, which tool, on what, how it ended, and with
whose approval. Never its arguments or results. The newest calls are shown, the newest last. Works while the
service runs, through its control socket, and while it does not.

  --user ID        calls for that Discord user
  --guild ID       calls from that server
  --tool NAME      calls of that tool
  --verdict V      one of ${verdicts.join(", ")}
  --since TIME     calls from then on: 2026-11-22, 2026-11-22T18:30 (UTC unless it says otherwise),
                   or how long ago: 30m, 24h, 7d
  --until TIME     calls before then
  --limit N        at most so many, 1 to ${rowsBound} (default: ${defaultRows})
  --json           print JSON, a line for each call
`,
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        user: { type: "string" },
        guild: { type: "string" },
        tool: { type: "string" },
        verdict: { type: "string" },
        since: { type: "string" },
        until: { type: "string" },
        limit: { type: "string" },
        json: { type: "boolean" },
      },
    });
    const rows = values.limit === undefined ? defaultRows : readLimit(values.limit);
    const filter = {
      ...(values.user === undefined ? {} : { actor_user_id: readId("--user", values.user) }),
      ...(values.guild === undefined ? {} : { guild_id: readId("--guild", values.guild) }),
      ...(values.tool === undefined ? {} : { tool_name: values.tool }),
      ...(values.verdict === undefined ? {} : { verdict: readVerdict(values.verdict) }),
      ...(values.since === undefined ? {} : { since: readTime("--since", values.since) }),
      ...(values.until === undefined ? {} : { until: readTime("--until", values.until) }),
    };
    if (filter.since !== undefined && filter.until !== undefined && filter.since >= filter.until)
      throw new UsageError("--since is not before --until: nothing lies between them");
    const config = readConfig(io.env);
    existingDatabase(config);
    const lines = (await readLog(config, filter, rows)).toReversed();
    if (values.json) for (const line of lines) io.out(`${JSON.stringify(line)}\n`);
    else io.out(auditTable(lines));
    return exit.ok;
  },
};

function readLimit(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= rowsBound) return Number(text);
  throw new UsageError(`--limit takes a whole number from 1 to ${rowsBound}`);
}

function readId(flag: string, text: string): string {
  if (/^\d{1,20}$/.test(text)) return text;
  throw new UsageError(`${flag} takes a Discord id, such as 123456789012345678`);
}

function readVerdict(text: string): (typeof verdicts)[number] {
  const verdict = verdicts.find((known) => known === text);
  if (verdict !== undefined) return verdict;
  throw new UsageError(`there is no verdict "${text}", only ${verdicts.join(", ")}`);
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const moment = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)?(Z|[+-]\d\d:\d\d)?$/;

function readTime(flag: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (unit !== undefined) return Math.max(0, Date.now() - Number(count) * (units[unit] ?? 0));
  const [whole, zone] = moment.exec(text) ?? [];
  const isDay = text.length === "2026-11-22".length;
  const at = whole === undefined ? Number.NaN : Date.parse(isDay || zone !== undefined ? text : `${text}Z`);
  if (at >= 0) return at;
  throw new UsageError(`${flag} takes a time such as 2026-11-22, 2026-11-22T18:30 or 24h`);
}

/** Newest first, page by page. */
async function readLog(
  config: Config,
  filter: Omit<AuditRequest, "limit">,
  rows: number,
): Promise<readonly AuditLine[]> {
  using log = openOperations(config, ({ memory }) => createAuditOperations(memory.audit));
  const lines: AuditLine[] = [];
  let next: Pick<AuditRequest, "before_id"> = {};
  while (lines.length < rows) {
    const limit = Math.min(pageRows, rows - lines.length);
    const request: AuditRequest = { ...filter, ...next, limit };
    const page = readAuditPage(await log.ask("audit_list", request));
    lines.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < limit) break;
    next = { before_id: last.id };
  }
  return lines;
}
