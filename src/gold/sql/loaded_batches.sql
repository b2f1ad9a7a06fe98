-- SPDX-License-Identifier: Apache-2.0
-- Which batches are in events, and what became of their rows in silver?
CREATE TABLE loaded_batches (
	batch BIGINT NOT NULL,
	rows BIGINT NOT NULL,        -- of events
	duplicates BIGINT NOT NULL,  -- in events already, or in silver under a lower batch
	quarantined BIGINT NOT NULL, -- the rows of conflicts
	loaded_at TIMESTAMP NOT NULL
);
