-- SPDX-License-Identifier: Apache-2.0
-- $1 and $2: begins and ends of intervals, by position; every minute that one of them touches, from $3 on.
INSERT INTO coverage
SELECT DISTINCT minute
FROM (
	SELECT unnest(generate_series(date_trunc('minute', first_at), last_at, INTERVAL 1 MINUTE)) AS minute
	FROM (SELECT unnest($1::TIMESTAMP[]) AS first_at, unnest($2::TIMESTAMP[]) AS last_at)
) ANTI JOIN coverage USING (minute)
WHERE minute >= $3::TIMESTAMP
ORDER BY minute;
