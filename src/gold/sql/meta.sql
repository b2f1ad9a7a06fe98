-- SPDX-License-Identifier: Apache-2.0
-- What was this file built from, and how far did it get? One row.
CREATE TABLE meta (
	format BIGINT NOT NULL,          -- of these tables
	fingerprint VARCHAR NOT NULL,    -- of the columns of events
	rollups VARCHAR NOT NULL,        -- fingerprint of the rollups' definitions
	views VARCHAR NOT NULL,          -- fingerprint of the views' texts
	silver_rebuilds BIGINT NOT NULL, -- how often silver had been made anew from bronze
	loads BIGINT NOT NULL,           -- transactions that may have changed an answer, over all generations
	sweep BIGINT NOT NULL,           -- the last sweep whose coverage is in
	rebuild_due BOOLEAN NOT NULL     -- a batch came after a higher one that has events of it
);
