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
-- `paid`: this attempt has paid its order. An order is paid once; the index below holds that.
-- `offline_minor` and `offline_ms` are what was approved offline and when; `settled` is what became of it.
CREATE TABLE attempts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    order_number INTEGER NOT NULL REFERENCES orders (number),
    state TEXT NOT NULL,
    live INTEGER NOT NULL CHECK (live IN (0, 1)),
    paid INTEGER NOT NULL DEFAULT 0 CHECK (paid IN (0, 1)),
    offline_minor INTEGER CHECK (offline_minor >= 0),
    offline_ms INTEGER,
    settled TEXT CHECK (settled IN ('approved', 'declined'))
) STRICT;

CREATE INDEX attempts_of_order ON attempts (order_number);
CREATE UNIQUE INDEX one_live_attempt_an_order ON attempts (order_number) WHERE live = 1;
CREATE UNIQUE INDEX one_paid_attempt_an_order ON attempts (order_number) WHERE paid = 1;
CREATE INDEX attempts_by_state ON attempts (state);
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
