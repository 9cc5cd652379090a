// What the embedded engine reads at start: its passwords (0600, never in argv, environment or log) and its
// configuration with users, rights and limits. Cold.
//
// clickhouse-local's own session is the user `default` without a password, and it must come from this machine. It is
// shut out of HTTP all the same: only requests that carry the Authorization header of one of our two users have a
// handler at all, and `default` may do nothing but start the listener.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface EngineLimits {
  /** Cap of the server's memory, bytes. */
  readonly memoryBytes: number;
  /** Threads of one query. */
  readonly threads: number;
}

export interface EngineAccess {
  readonly writer: Credentials;
  /** SELECT only: for dashboards and reports. */
  readonly reader: Credentials;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const OWNER_ONLY = 0o600;
const CACHE_SHARE = 16;

export const accessFile = (dir: string): string => join(dir, "access.json");

/** Made once per directory, then kept: dashboards go on working after a restart. */
export function engineAccess(dir: string): EngineAccess {
  const file = accessFile(dir);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as EngineAccess;
  const access: EngineAccess = {
    writer: { user: "hotlane", password: randomBytes(24).toString("base64url") },
    reader: { user: "reader", password: randomBytes(24).toString("base64url") },
  };
  writePrivately(file, `${JSON.stringify(access, null, 2)}\n`);
  return access;
}

/** Whole or not at all, and never readable by others. */
function writePrivately(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: OWNER_ONLY });
  renameSync(`${file}.new`, file);
}

export function writeEngineFiles(dir: string, database: string, limits: EngineLimits): EngineAccess {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const access = engineAccess(dir);
  writePrivately(join(dir, "users.xml"), usersXml(access, database, limits));
  writePrivately(join(dir, "config.xml"), configXml(dir, access, limits));
  return access;
}

const xml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const basic = ({ user, password }: Credentials): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

function configXml(dir: string, access: EngineAccess, limits: EngineLimits): string {
  const rule = (who: Credentials) => `
    <rule>
      <headers><Authorization>${xml(basic(who))}</Authorization></headers>
      <handler><type>dynamic_query_handler</type><query_param_name>query</query_param_name></handler>
    </rule>`;
  const cache = Math.floor(limits.memoryBytes / CACHE_SHARE);
  return `<clickhouse>
  <users_config>${xml(join(dir, "users.xml"))}</users_config>
  <listen_host>127.0.0.1</listen_host>
  <http_port>0</http_port>
  <timezone>UTC</timezone>
  <max_server_memory_usage>${limits.memoryBytes}</max_server_memory_usage>
  <max_concurrent_queries>32</max_concurrent_queries>
  <max_thread_pool_size>128</max_thread_pool_size>
  <background_pool_size>1</background_pool_size>
  <background_merges_mutations_concurrency_ratio>1</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <mark_cache_size>${cache}</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <index_mark_cache_size>${cache}</index_mark_cache_size>
  <merge_tree>
    <auto_statistics_types></auto_statistics_types>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
  <http_handlers>${rule(access.writer)}${rule(access.reader)}
  </http_handlers>
</clickhouse>
`;
}

function usersXml(access: EngineAccess, database: string, limits: EngineLimits): string {
  const user = ({ user, password }: Credentials, profile: string, grants: readonly string[]) => `
    <${user}>
      <password>${xml(password)}</password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>${profile}</profile>
      <quota>default</quota>
      <grants>${grants.map((grant) => `<query>GRANT ${xml(grant)}</query>`).join("")}</grants>
    </${user}>`;
  const db = `\`${database.replaceAll("`", "``")}\``;
  return `<clickhouse>
  <profiles>
    <default>
      <max_memory_usage>${Math.floor(limits.memoryBytes * 0.8)}</max_memory_usage>
      <max_threads>${limits.threads}</max_threads>
      <max_insert_threads>1</max_insert_threads>
    </default>
    <reader><readonly>2</readonly><max_threads>${limits.threads}</max_threads></reader>
  </profiles>
  <users>
    <default>
      <no_password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT CREATE TEMPORARY TABLE ON *.*</query></grants>
    </default>${user(access.writer, "default", [`ALL ON ${db}.*`, "SELECT ON system.*", "TABLE ENGINE ON *", "CREATE TEMPORARY TABLE ON *.*"])}${user(access.reader, "reader", [`SELECT ON ${db}.*`, "SELECT ON system.*", "CREATE TEMPORARY TABLE ON *.*"])}
  </users>
  <quotas><default/></quotas>
</clickhouse>
`;
}
