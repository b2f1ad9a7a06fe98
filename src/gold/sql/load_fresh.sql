-- SPDX-License-Identifier: Apache-2.0
-- The rows that no row of events and no lower batch of this load has.
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT * EXCLUDE (gold_rank, gold_first_batch, gold_first_repo_id, gold_first_repo_name)
FROM incoming ANTI JOIN existing USING (id, type, created_at)
WHERE gold_rank = 1;
