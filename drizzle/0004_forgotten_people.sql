CREATE TABLE `forgotten_people` (
	`hash` blob PRIMARY KEY NOT NULL,
	`at` integer NOT NULL
) STRICT;
