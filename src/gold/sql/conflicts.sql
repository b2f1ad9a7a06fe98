-- SPDX-License-Identifier: Apache-2.0
-- Which rows of silver have the id, type and time of an event of another repository?
CREATE TABLE conflicts (
	batch BIGINT NOT NULL,
	detail VARCHAR NOT NULL,
	raw VARCHAR NOT NULL -- the row as JSON
);
