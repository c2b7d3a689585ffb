CREATE TABLE `api_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`secret_hash` blob NOT NULL,
	`user_id` text,
	`scopes` text NOT NULL,
	`guild_ids` text,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer,
	`last_used_at` integer
) STRICT;
--> statement-breakpoint
CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor_kind` text NOT NULL,
	`actor_user_id` text NOT NULL,
	`guild_id` text,
	`channel_id` text NOT NULL,
	`session_id` text,
	`turn_id` text,
	`token_id` text,
	`tool_name` text NOT NULL,
	`targets` text NOT NULL,
	`verdict` text NOT NULL,
	`reason` text,
	`duration_ms` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `audit_at` ON `audit` (`at`);--> statement-breakpoint
CREATE INDEX `audit_actor` ON `audit` (`actor_user_id`,`id`);--> statement-breakpoint
CREATE TABLE `channel_marks` (
	`channel_id` text PRIMARY KEY NOT NULL,
	`message_id` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `conversations` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`channel_id` text NOT NULL,
	`guild_id` text,
	`epoch` integer DEFAULT 0 NOT NULL,
	`ended_count` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `conversations_user_channel` ON `conversations` (`user_id`,`channel_id`);--> statement-breakpoint
CREATE TABLE `data_keys` (
	`id` integer PRIMARY KEY NOT NULL,
	`salt` blob NOT NULL,
	`wrapped` blob NOT NULL,
	`created_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `gateway_sessions` (
	`shard_id` integer PRIMARY KEY NOT NULL,
	`shard_count` integer NOT NULL,
	`session_id` blob NOT NULL,
	`resume_url` blob NOT NULL,
	`sequence` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`hash` blob PRIMARY KEY NOT NULL,
	`turn_id` text NOT NULL,
	`seen_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `identifies` (
	`id` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `identifies_at` ON `identifies` (`at`);--> statement-breakpoint
CREATE TABLE `messages` (
	`turn_seq` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`step` integer,
	`role` text NOT NULL,
	`content` blob NOT NULL,
	`stop_reason` text,
	`model` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`turn_seq`, `ordinal`),
	FOREIGN KEY (`turn_seq`) REFERENCES `turns`(`seq`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `messages_step` ON `messages` (`turn_seq`,`step`);--> statement-breakpoint
CREATE TABLE `posts` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`nonce` text NOT NULL,
	`purpose` text NOT NULL,
	`subject` text NOT NULL,
	`ordinal` integer NOT NULL,
	`channel_id` text NOT NULL,
	`reply_to_message_id` text,
	`content` blob,
	`allowed_mention_user_ids` text NOT NULL,
	`state` text NOT NULL,
	`sending_at` integer,
	`message_id` text,
	`failure` text,
	`created_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `posts_nonce` ON `posts` (`nonce`);--> statement-breakpoint
CREATE UNIQUE INDEX `posts_message` ON `posts` (`message_id`);--> statement-breakpoint
CREATE INDEX `posts_open` ON `posts` (`seq`) WHERE state in ('pending', 'sending');--> statement-breakpoint
CREATE INDEX `posts_created_at` ON `posts` (`created_at`);--> statement-breakpoint
CREATE TABLE `preferences` (
	`user_id` text PRIMARY KEY NOT NULL,
	`value` blob NOT NULL,
	`updated_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `seen_messages` (
	`message_id` text PRIMARY KEY NOT NULL,
	`channel_id` text NOT NULL,
	`seen_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`channel_id` text NOT NULL,
	`guild_id` text,
	`conversation_id` text NOT NULL,
	`active_tools` text NOT NULL,
	`token_id` text,
	`created_at` integer NOT NULL,
	`last_used_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`message_count` integer DEFAULT 0 NOT NULL,
	`tool_call_count` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`conversation_id`) REFERENCES `conversations`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
CREATE INDEX `sessions_conversation` ON `sessions` (`conversation_id`);--> statement-breakpoint
CREATE INDEX `sessions_user_channel` ON `sessions` (`user_id`,`channel_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `sessions_expires_at` ON `sessions` (`expires_at`);--> statement-breakpoint
CREATE TABLE `summaries` (
	`conversation_id` text NOT NULL,
	`epoch` integer NOT NULL,
	`text` blob NOT NULL,
	`upto_turn_id` text NOT NULL,
	`upto_order` integer NOT NULL,
	`sources` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`conversation_id`, `epoch`),
	FOREIGN KEY (`conversation_id`) REFERENCES `conversations`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
CREATE INDEX `summaries_updated_at` ON `summaries` (`updated_at`);--> statement-breakpoint
CREATE TABLE `token_usage` (
	`subject` text NOT NULL,
	`day` text NOT NULL,
	`tokens` integer NOT NULL,
	PRIMARY KEY(`subject`, `day`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `token_usage_day` ON `token_usage` (`day`);--> statement-breakpoint
CREATE TABLE `tool_calls` (
	`turn_seq` integer NOT NULL,
	`step` integer NOT NULL,
	`tool_use_id` text NOT NULL,
	`position` integer NOT NULL,
	`tool_name` text NOT NULL,
	`state` text NOT NULL,
	`result` blob,
	`sources` text NOT NULL,
	`started_at` integer,
	`ended_at` integer,
	PRIMARY KEY(`turn_seq`, `step`, `tool_use_id`),
	FOREIGN KEY (`turn_seq`) REFERENCES `turns`(`seq`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `tool_calls_position` ON `tool_calls` (`turn_seq`,`step`,`position`);--> statement-breakpoint
CREATE TABLE `turns` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`conversation_id` text NOT NULL,
	`epoch` integer NOT NULL,
	`session_id` text NOT NULL,
	`actor_kind` text NOT NULL,
	`user_id` text NOT NULL,
	`guild_id` text,
	`channel_id` text NOT NULL,
	`origin` text NOT NULL,
	`discord_message_id` text,
	`idempotency_key` blob,
	`reply_channel_id` text,
	`reply_message_id` text,
	`text` blob NOT NULL,
	`preamble` blob NOT NULL,
	`state` text NOT NULL,
	`starts` integer DEFAULT 0 NOT NULL,
	`accepted_at` integer NOT NULL,
	`ended_at` integer,
	`ended_order` integer,
	`answer` blob,
	`stop_reason` text,
	`error_code` text,
	`delivery` text,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cache_creation_input_tokens` integer DEFAULT 0 NOT NULL,
	`cache_read_input_tokens` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`conversation_id`) REFERENCES `conversations`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `turns_id` ON `turns` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `turns_discord_message` ON `turns` (`discord_message_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `turns_history` ON `turns` (`conversation_id`,`epoch`,`ended_order`);--> statement-breakpoint
CREATE INDEX `turns_conversation` ON `turns` (`conversation_id`,`seq`);--> statement-breakpoint
CREATE INDEX `turns_waiting` ON `turns` (`conversation_id`,`seq`) WHERE state in ('queued', 'running');--> statement-breakpoint
CREATE INDEX `turns_unfinished` ON `turns` (`seq`) WHERE state in ('queued', 'running');--> statement-breakpoint
CREATE INDEX `turns_undelivered` ON `turns` (`seq`) WHERE delivery = 'pending';--> statement-breakpoint
CREATE INDEX `turns_ended_at` ON `turns` (`ended_at`);