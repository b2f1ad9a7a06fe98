-- SPDX-License-Identifier: Apache-2.0
-- In which minutes did a sweep see the feed, if only for a moment? Others are unknown, not zero.
CREATE TABLE coverage (minute TIMESTAMP NOT NULL);
