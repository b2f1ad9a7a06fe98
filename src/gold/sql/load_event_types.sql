-- SPDX-License-Identifier: Apache-2.0
-- $1: how many types there may be.
INSERT INTO event_types
SELECT DISTINCT type FROM fresh ANTI JOIN event_types USING (type) ORDER BY type
LIMIT (SELECT greatest($1::BIGINT - count(*), 0) FROM event_types);
