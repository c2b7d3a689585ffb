CREATE TABLE `erasures` (
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`stage` text NOT NULL,
	`due_at` integer NOT NULL,
	`requested_at` integer NOT NULL,
	`reply_channel_id` text,
	`reply_message_id` text,
	PRIMARY KEY(`kind`, `subject`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `erasures_due_at` ON `erasures` (`due_at`);
