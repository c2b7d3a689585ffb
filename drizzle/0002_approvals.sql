CREATE TABLE `approvals` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`turn_id` text,
	`conversation_id` text NOT NULL,
	`session_id` text NOT NULL,
	`actor_kind` text NOT NULL,
	`user_id` text NOT NULL,
	`guild_id` text,
	`channel_id` text NOT NULL,
	`step` integer,
	`tool_use_id` text,
	`tool_name` text,
	`input` blob NOT NULL,
	`question` blob NOT NULL,
	`public_text` blob,
	`fingerprint` text NOT NULL,
	`ask_in` text NOT NULL,
	`state` text NOT NULL,
	`decided_by` text,
	`created_at` integer NOT NULL,
	`decided_at` integer,
	`expires_at` integer NOT NULL,
	`delivery` text,
	`post_nonce` text,
	FOREIGN KEY (`turn_id`) REFERENCES `turns`(`id`) ON UPDATE no action ON DELETE cascade
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `approvals_id` ON `approvals` (`id`);--> statement-breakpoint
CREATE INDEX `approvals_turn` ON `approvals` (`turn_id`,`seq`);--> statement-breakpoint
CREATE INDEX `approvals_conversation` ON `approvals` (`conversation_id`,`seq`) WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX `approvals_session` ON `approvals` (`session_id`) WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX `approvals_expires_at` ON `approvals` (`expires_at`) WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX `approvals_unasked` ON `approvals` (`seq`) WHERE delivery = 'pending';--> statement-breakpoint
CREATE INDEX `approvals_asked` ON `approvals` (`seq`) WHERE delivery = 'planned';--> statement-breakpoint
CREATE INDEX `approvals_created_at` ON `approvals` (`created_at`);--> statement-breakpoint
CREATE TABLE `memories` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`user_id` text NOT NULL,
	`text` blob NOT NULL,
	`sources` text NOT NULL,
	`created_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `memories_id` ON `memories` (`id`);--> statement-breakpoint
CREATE INDEX `memories_user` ON `memories` (`user_id`,`seq`);--> statement-breakpoint
CREATE TABLE `sent_messages` (
	`message_id` text PRIMARY KEY NOT NULL,
	`channel_id` text NOT NULL,
	`user_id` text NOT NULL,
	`at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `sent_messages_place` ON `sent_messages` (`channel_id`,`user_id`,`at`);--> statement-breakpoint
CREATE INDEX `sent_messages_at` ON `sent_messages` (`at`);--> statement-breakpoint
ALTER TABLE `audit` ADD `approval_id` text;--> statement-breakpoint
ALTER TABLE `audit` ADD `approved_by` text;--> statement-breakpoint
ALTER TABLE `messages` ADD `sources` text;--> statement-breakpoint
ALTER TABLE `turns` ADD `answer_to` text DEFAULT 'channel' NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `turns_suspended` ON `turns` (`conversation_id`) WHERE state = 'suspended';--> statement-breakpoint
UPDATE `turns` SET `answer_to` = 'asker' WHERE `origin` = 'program';
--> statement-breakpoint
UPDATE `messages` SET `sources` = (SELECT json_array('self:' || `user_id`) FROM `turns` WHERE `seq` = `turn_seq`)
WHERE `role` = 'assistant' AND `turn_seq` IN (
	SELECT `later`.`seq` FROM `turns` AS `later` WHERE `later`.`origin` = 'program' AND EXISTS (
		SELECT 1 FROM `turns` AS `reading` JOIN `tool_calls` ON `tool_calls`.`turn_seq` = `reading`.`seq`
		WHERE `reading`.`conversation_id` = `later`.`conversation_id` AND `reading`.`epoch` = `later`.`epoch`
			AND `reading`.`seq` <= `later`.`seq` AND `tool_calls`.`sources` <> '[]'
	)
);
