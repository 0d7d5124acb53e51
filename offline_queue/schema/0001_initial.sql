-- What the terminal promised, did, and has delivered. States of attempts and records change in one transaction.

CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    terminal_id TEXT NOT NULL
) STRICT;

CREATE TABLE orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency TEXT NOT NULL
) STRICT;

-- `number` is never used twice: an attempt's key is the idempotency key at every host.
-- `state` is the terminal's word; the store itself knows only whether the outcome is still open (live).
-- `offline_minor` is what was approved offline, until and after the host says what became of it (settled).
CREATE TABLE attempts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    order_number INTEGER NOT NULL REFERENCES orders (number),
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    live INTEGER NOT NULL CHECK (live IN (0, 1)),
    offline_minor INTEGER CHECK (offline_minor >= 0),
    settled TEXT CHECK (settled IN ('approved', 'declined'))
) STRICT;

CREATE INDEX attempts_of_order ON attempts (order_number);
CREATE UNIQUE INDEX one_live_attempt_an_order ON attempts (order_number) WHERE live = 1;
CREATE INDEX offline_not_settled ON attempts (offline_minor) WHERE offline_minor IS NOT NULL AND settled IS NULL;

-- `body` holds the exact bytes that were signed; see record.py for what the hashes and the signature cover.
CREATE TABLE records (
    sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
    kind TEXT NOT NULL,
    attempt_number INTEGER REFERENCES attempts (number),
    time_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    previous_head BLOB NOT NULL CHECK (length(previous_head) = 32),
    head BLOB NOT NULL CHECK (length(head) = 32),
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE INDEX records_of_attempt ON records (attempt_number, sequence) WHERE attempt_number IS NOT NULL;

-- Records are final. Nothing in the program changes or deletes one, and neither does a slip of the hand.
CREATE TRIGGER records_are_final_update BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'records are final'); END;
CREATE TRIGGER records_are_final_delete BEFORE DELETE ON records
BEGIN SELECT RAISE(ABORT, 'records are final'); END;

-- Delivered, and refused by the host.
CREATE TABLE quarantine (
    sequence INTEGER PRIMARY KEY REFERENCES records (sequence),
    reason TEXT NOT NULL
) STRICT;

-- The newest acknowledgement, with the host's signature; updated in place, so that it needs no new space.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    through INTEGER NOT NULL CHECK (through >= 0),
    head BLOB NOT NULL CHECK (length(head) = 32),
    acknowledgement BLOB NOT NULL
) STRICT;
