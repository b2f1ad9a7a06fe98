-- SPDX-License-Identifier: Apache-2.0
-- Which event types are there? Those that GitHub sends today, and all that were seen, 64 at most.
CREATE TABLE event_types (type VARCHAR NOT NULL);
