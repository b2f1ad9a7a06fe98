-- SPDX-License-Identifier: Apache-2.0
INSERT INTO events SELECT * FROM fresh ORDER BY created_at, id;
