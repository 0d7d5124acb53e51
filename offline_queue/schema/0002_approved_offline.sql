-- Payments that were approved while the host was not asked, and what must not come twice.

-- Of a payment taken offline: 1 nobody has approved it yet, 0 it was approved without the host. Before this
-- schema there was the first kind only.
ALTER TABLE attempts ADD COLUMN deferred INTEGER NOT NULL DEFAULT 1 CHECK (deferred IN (0, 1));

-- Fingerprints under a key that is not kept here, with the counter that each source of them stood at.
-- The oldest are forgotten; `number` is their order, for a clock may be put back.
CREATE TABLE seen (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 16),
    source BLOB NOT NULL CHECK (length(source) = 16),
    counter INTEGER NOT NULL CHECK (counter >= 0),
    time_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX seen_by_source ON seen (source, counter);
