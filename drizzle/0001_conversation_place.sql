DROP INDEX `conversations_user_channel`;--> statement-breakpoint
CREATE UNIQUE INDEX `conversations_place` ON `conversations` (`user_id`,`channel_id`,`guild_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `conversations_direct` ON `conversations` (`user_id`,`channel_id`) WHERE guild_id is null;