-- SPDX-License-Identifier: Apache-2.0
-- $1: batches, $2: how many rows each has in silver, $3: now. What is neither new nor in conflict is a
-- duplicate, also what compaction left out.
INSERT INTO loaded_batches
SELECT b.batch, coalesce(a.count, 0), b.rows - coalesce(a.count, 0) - coalesce(c.count, 0), coalesce(c.count, 0),
	$3::TIMESTAMP
FROM (SELECT unnest($1::BIGINT[]) AS batch, unnest($2::BIGINT[]) AS rows) b
LEFT JOIN arrived a USING (batch)
LEFT JOIN (SELECT batch, count(*) AS count FROM conflicts GROUP BY batch) c USING (batch)
ORDER BY b.batch;
