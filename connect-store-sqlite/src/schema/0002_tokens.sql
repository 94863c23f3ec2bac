-- Rows are never deleted, so that a version never comes twice.
CREATE TABLE tokens (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'needs_reauth')),
    expires_at INTEGER,
    refresh_by INTEGER
) WITHOUT ROWID;
CREATE INDEX tokens_due ON tokens (refresh_by, key) WHERE state = 'active' AND refresh_by IS NOT NULL;

CREATE TABLE token_leases (
    -- AUTOINCREMENT: the later lease has the larger fence, also after a restart.
    fence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    ends_at INTEGER NOT NULL
);
CREATE INDEX token_leases_ended ON token_leases (ends_at);

CREATE TABLE logins (
    key TEXT PRIMARY KEY,
    -- NULL once it has been given out.
    sealed BLOB,
    -- Waiting: when it expires. Used: when it is forgotten.
    ends_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX logins_ended ON logins (ends_at);
CREATE INDEX logins_used ON logins (ends_at) WHERE sealed IS NULL;
