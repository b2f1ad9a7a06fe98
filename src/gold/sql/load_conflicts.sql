-- SPDX-License-Identifier: Apache-2.0
-- Of equal keys one row counts: the one in events, else that of the lowest batch. Those of another
-- repository are conflicts; a row that does not say its repository (imported columns) is none.
INSERT INTO conflicts
SELECT i.batch,
	'an event of ' || coalesce(winner_name, 'no repository') || ' (batch ' || winner_batch
		|| ') has the same id, type and time',
	to_json({id: i.id, type: i.type, created_at: i.created_at, actor_login: i.actor_login,
		repo_id: i.repo_id, repo_name: i.repo_name, action: i.action, number: i.number})::VARCHAR
FROM (
	SELECT n.*,
		CASE WHEN e.id IS NULL THEN n.gold_first_repo_id ELSE e.repo_id END AS winner_id,
		CASE WHEN e.id IS NULL THEN n.gold_first_repo_name ELSE e.repo_name END AS winner_name,
		coalesce(e.batch, n.gold_first_batch) AS winner_batch
	FROM incoming n LEFT JOIN existing e USING (id, type, created_at)
) i
WHERE i.repo_id <> winner_id
ORDER BY i.batch, i.id;
